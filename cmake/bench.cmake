# Programs that bench/*.py use: what the machine gives (limits), and the smallest task (stamp).
add_executable(limits bench/limits.c)
target_link_libraries(limits PRIVATE lib::pq lib::zmq)
add_executable(stamp bench/stamp.c)
# What the leader's writes cost (bench/store.py).
add_executable(store_load bench/store_load.c)
target_link_libraries(store_load PRIVATE common_store)
set_target_properties(limits stamp store_load PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
# What waiting tasks cost the core (bench/waiting.py).
add_executable(waiting bench/waiting.c)
target_link_libraries(waiting PRIVATE scheduler_core)
set_target_properties(waiting PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
# Questions to a web server, or to PostgreSQL itself (bench/api.py).
add_executable(api_load bench/api_load.c)
target_link_libraries(api_load PRIVATE common_base lib::pq)
set_target_properties(api_load PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
