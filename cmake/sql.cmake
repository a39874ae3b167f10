# sql/queries/*.sql hold blocks that begin with `-- name: word`; tools/sql_defs.cmake turns them into
# build/generated/sql/queries.def, one line SQL(word, "text") each, which common/store includes.
# sql/migrations/NNNN_title.sql become build/generated/sql/migrations.def, one line MIGRATION(NNNN, "title", "text") each.

set(SQL_GENERATED ${CMAKE_BINARY_DIR}/generated/sql)
file(GLOB SQL_QUERIES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/queries/*.sql)
file(GLOB SQL_MIGRATIONS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/migrations/*.sql)
add_custom_command(
    OUTPUT ${SQL_GENERATED}/queries.def ${SQL_GENERATED}/migrations.def
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR}/sql -DOUT=${SQL_GENERATED}
            -P ${CMAKE_SOURCE_DIR}/tools/sql_defs.cmake
    DEPENDS ${SQL_QUERIES} ${SQL_MIGRATIONS} ${CMAKE_SOURCE_DIR}/tools/sql_defs.cmake
    COMMENT "sql: queries and migrations")
add_custom_target(sql_generate DEPENDS ${SQL_GENERATED}/queries.def ${SQL_GENERATED}/migrations.def)
add_library(sql INTERFACE)
add_dependencies(sql sql_generate)
target_include_directories(sql INTERFACE ${CMAKE_BINARY_DIR}/generated)
