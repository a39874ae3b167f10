# Outside libraries, by the short names that room() lines use. `./dev deps` installs the packages.
find_package(PkgConfig REQUIRED)
foreach(pair uv:libuv zmq:libzmq pq:libpq protobuf-c:libprotobuf-c jansson:jansson fyaml:libfyaml sodium:libsodium
             ssl:openssl curl:libcurl cmocka:cmocka)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 package)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${package})
    add_library(lib::${name} ALIAS PkgConfig::${name})
endforeach()

# libc's other half: pow, round, floor.
add_library(math INTERFACE)
target_link_libraries(math INTERFACE m)
add_library(lib::m ALIAS math)

# Debian 12 ships llhttp as C sources inside node-llhttp; later releases have a library.
pkg_check_modules(llhttp IMPORTED_TARGET GLOBAL libllhttp)
if(llhttp_FOUND)
    add_library(lib::llhttp ALIAS PkgConfig::llhttp)
else()
    set(LLHTTP_DIR /usr/share/llhttp)
    file(GLOB_RECURSE llhttp_sources /usr/share/llhttp/*.c)
    find_path(llhttp_include llhttp.h PATHS /usr/share/include/llhttp /usr/share/llhttp REQUIRED)
    add_library(llhttp_sources STATIC ${llhttp_sources})
    target_compile_options(llhttp_sources PRIVATE -w)
    target_include_directories(llhttp_sources SYSTEM PUBLIC ${llhttp_include})
    add_library(lib::llhttp ALIAS llhttp_sources)
endif()
