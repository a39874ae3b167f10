# room(<folder> [PURE] [PROGRAM <name>] [USES <room>...] [LIBS <lib>...])
#
# Builds the folder's *.c into a static library named after it (common/base -> common_base) and, with PROGRAM, its
# main.c into that program. Writes one line per room into build/rooms.txt, which tools/layers.sh and tools/pure.sh read:
# the line that builds a room is the line that limits it. `sql` and `proto` in USES stand for generated headers.

set(HEADRACE_ROOMS_FILE ${CMAKE_BINARY_DIR}/rooms.txt)
file(WRITE ${HEADRACE_ROOMS_FILE} "")

function(room folder)
    cmake_parse_arguments(ROOM "PURE" "PROGRAM" "USES;LIBS" ${ARGN})
    string(REPLACE "/" "_" target ${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")

    set(uses_targets)
    foreach(use ${ROOM_USES})
        string(REPLACE "/" "_" use_target ${use})
        list(APPEND uses_targets ${use_target})
    endforeach()
    list(TRANSFORM ROOM_LIBS PREPEND "lib::" OUTPUT_VARIABLE libs)

    if(sources)
        add_library(${target} STATIC ${sources})
        target_link_libraries(${target} PUBLIC ${uses_targets} ${libs})
        if(ROOM_PURE)
            target_compile_options(${target} PRIVATE -Wconversion -Wno-sign-conversion)
        endif()
    else()
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE ${uses_targets} ${libs})
    endif()

    file(GLOB main CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/main.c)
    if(ROOM_PROGRAM AND main)
        add_executable(${ROOM_PROGRAM} ${folder}/main.c)
        target_link_libraries(${ROOM_PROGRAM} PRIVATE ${target} ${uses_targets})
        set_property(GLOBAL APPEND PROPERTY HEADRACE_PROGRAMS ${ROOM_PROGRAM})
    endif()

    set(kind open)
    if(ROOM_PURE)
        set(kind pure)
    endif()
    string(REPLACE ";" " " uses "${ROOM_USES}")
    file(APPEND ${HEADRACE_ROOMS_FILE} "${folder} ${kind} ${uses}\n")
endfunction()
