# Programs that bench/*.py use: what the machine gives (limits), and the smallest task (stamp).
add_executable(limits bench/limits.c)
target_link_libraries(limits PRIVATE lib::pq lib::zmq)
add_executable(stamp bench/stamp.c)
set_target_properties(limits stamp PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
