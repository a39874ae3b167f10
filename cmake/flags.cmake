set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(HEADRACE_SANITIZE "sanitizers, as for -fsanitize=; empty for none" "")
option(HEADRACE_COVERAGE "measure coverage" OFF)
option(HEADRACE_FUZZ "build the libFuzzer targets (needs clang)" OFF)

add_compile_definitions(_GNU_SOURCE HEADRACE_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla
                    -Wpointer-arith -Wwrite-strings -Wno-missing-field-initializers -fno-common
                    -fno-omit-frame-pointer -fvisibility=hidden)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-format-truncation) # fixed-size sentences are cut on purpose
endif()
include_directories(${CMAKE_SOURCE_DIR})
add_compile_options(-fdebug-prefix-map=${CMAKE_BINARY_DIR}=.) # the same objects in every clone

if(HEADRACE_SANITIZE)
    add_compile_options(-fsanitize=${HEADRACE_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${HEADRACE_SANITIZE})
endif()
if(HEADRACE_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()

# The hardened release: reliability first, and the asserts stay on (they are our own ASSERT, not assert.h's).
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
    add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
                        -fcf-protection)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU") # clang 14 has it behind a flag that it calls perilous
        add_compile_options(-ftrivial-auto-var-init=zero)
    endif()
    add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
endif()
