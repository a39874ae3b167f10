# tests/ mirrors the tree: tests/common/base/arena_test.c tests common/base/arena.c. Nothing is registered: a file named
# *_test.c is an executable and a ctest case by its path. tests/support/ is linked to all of them.
enable_testing()

# Only the files that ask are told where the tree is: everything else compiles the same in every clone, and comes from ccache.
function(tell_where_the_tree_is)
    foreach(file ${ARGN})
        file(STRINGS ${file} asks REGEX "HEADRACE_(SOURCE|BIN)_DIR")
        if(asks)
            set_property(SOURCE ${file} APPEND PROPERTY COMPILE_DEFINITIONS
                HEADRACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" HEADRACE_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
        endif()
    endforeach()
endfunction()

file(GLOB support_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
list(FILTER support_sources EXCLUDE REGEX "/filter\\.c$")
tell_where_the_tree_is(${support_sources})
get_property(programs GLOBAL PROPERTY HEADRACE_PROGRAMS)
set(all_rooms scheduler_shell worker_shell worker_warden worker_task webserver_api webserver_auth webserver_http cli
    scheduler_core worker_core common_compile common_store common_wire common_pg common_conf common_loop common_metrics
    common_log common_model common_text common_base)

if(support_sources)
    add_library(tests_support STATIC ${support_sources})
    target_link_libraries(tests_support PUBLIC ${all_rooms} lib::cmocka)
else()
    add_library(tests_support INTERFACE)
    target_link_libraries(tests_support INTERFACE ${all_rooms} lib::cmocka)
endif()
target_sources(tests_support INTERFACE ${CMAKE_SOURCE_DIR}/tests/support/filter.c)

file(GLOB_RECURSE test_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.c)
list(FILTER test_files EXCLUDE REGEX "/tests/sim/") # built below, in a way of its own
tell_where_the_tree_is(${test_files} ${CMAKE_SOURCE_DIR}/tests/sim/sim_test.c)
foreach(file ${test_files})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests ${file})
    string(REGEX REPLACE "_test\\.c$" "" name ${path})
    string(REPLACE "/" "_" target test_${name})
    # A test of several files has a folder of its own name beside it.
    file(GLOB parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*.c)
    list(FILTER parts EXCLUDE REGEX "_test\\.c$")
    add_executable(${target} ${file} ${parts})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${target} PRIVATE tests_support)
    add_test(NAME ${name} COMMAND ${target})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endforeach()

# Tests that drive the built programs from outside are Python files, run by the same ctest.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB_RECURSE script_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.py)
foreach(file ${script_files})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests ${file})
    string(REGEX REPLACE "_test\\.py$" "" name ${path})
    add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${file})
    set_tests_properties(${name} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
        ENVIRONMENT "HEADRACE_BIN_DIR=${CMAKE_BINARY_DIR}/bin;PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/support;PYTHONDONTWRITEBYTECODE=1")
endforeach()

# The longest first: they wait more than they compute, and the short ones fill the gaps.
set(longest e2e/kill e2e/api_clients e2e/ui_mock e2e/operators oracle/timetable e2e/main_example e2e/ui_hostile e2e/ui_pages e2e/ui_steady
    e2e/ui_actions e2e/ui e2e/standalone)
set(cost 100)
foreach(name ${longest})
    if(TEST ${name})
        set_tests_properties(${name} PROPERTIES COST ${cost})
    endif()
    math(EXPR cost "${cost} - 1")
endforeach()

# The shape of the house is a test like any other.
add_test(NAME house/layers COMMAND ${CMAKE_SOURCE_DIR}/tools/layers.sh ${HEADRACE_ROOMS_FILE})
add_test(NAME house/pure COMMAND ${CMAKE_SOURCE_DIR}/tools/pure.sh ${HEADRACE_ROOMS_FILE} ${CMAKE_BINARY_DIR})
add_test(NAME house/settings COMMAND ${CMAKE_SOURCE_DIR}/tools/settings.sh)
add_test(NAME house/paths COMMAND ${CMAKE_SOURCE_DIR}/tools/paths.sh)
add_test(NAME house/reference COMMAND ${CMAKE_SOURCE_DIR}/tools/reference.sh $<TARGET_FILE:reference> --check)
set_tests_properties(house/layers house/pure house/settings house/paths house/reference PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})

# Fuzz targets: tests/fuzz/NAME_fuzz.c defines LLVMFuzzerTestOneInput. With clang and HEADRACE_FUZZ they are fuzzers;
# otherwise each is linked with a driver that replays its corpus, as an ordinary test.
file(GLOB fuzz_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c)
foreach(file ${fuzz_files})
    get_filename_component(name ${file} NAME_WE)
    if(HEADRACE_FUZZ)
        add_executable(${name} ${file})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${file} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME fuzz/${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE tests_support)
endforeach()

# Programs that answer questions for a test written in Python: tests/oracle/NAME_answers.c.
file(GLOB answer_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/oracle/*_answers.c)
foreach(file ${answer_files})
    get_filename_component(name ${file} NAME_WE)
    add_executable(${name} ${file})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE tests_support)
endforeach()

# The simulator compiles the pure rooms itself: optimised, without sanitizers (thousands of seeds), with the mutants' switches
# and with asserts that end a seed instead of the program. sim/sanitized is the same with the build's own flags, for fewer.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/sim/*.c)
file(GLOB sim_rooms CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/common/base/*.c ${CMAKE_SOURCE_DIR}/common/text/*.c
    ${CMAKE_SOURCE_DIR}/common/model/*.c ${CMAKE_SOURCE_DIR}/scheduler/core/*.c ${CMAKE_SOURCE_DIR}/worker/core/*.c)
list(FILTER sim_rooms EXCLUDE REGEX "/common/base/assert\\.c$")
foreach(name sim sanitized)
    add_executable(test_sim_${name} ${CMAKE_SOURCE_DIR}/tests/sim/sim_test.c ${sim_sources} ${sim_rooms}
        ${CMAKE_SOURCE_DIR}/tests/support/model_store.c ${CMAKE_SOURCE_DIR}/tests/support/model_read.c)
    set_target_properties(test_sim_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_compile_definitions(test_sim_${name} PRIVATE HEADRACE_MUTANTS)
    target_link_libraries(test_sim_${name} PRIVATE lib::jansson lib::fyaml lib::m)
endforeach()
target_compile_options(test_sim_sim PRIVATE -O2 -fno-sanitize=all $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
target_link_options(test_sim_sim PRIVATE -fno-sanitize=all)
add_test(NAME sim/sim COMMAND test_sim_sim)
add_test(NAME sim/sanitized COMMAND test_sim_sanitized --seeds 600 --from 1000001)
set_tests_properties(sim/sim sim/sanitized PROPERTIES TIMEOUT 900 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
