# The program that writes the pages of docs/ that follow from tables; tools/reference.sh runs it, `./dev docs` runs that.
add_executable(reference ${CMAKE_SOURCE_DIR}/tools/reference.c)
target_link_libraries(reference PRIVATE common_compile common_base)
set_target_properties(reference PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
