# proto/v1/*.proto -> build/generated/proto/v1/*.pb-c.{c,h}, by protoc-c.
set(PROTO_GENERATED ${CMAKE_BINARY_DIR}/generated)
find_program(PROTOC_C protoc-c REQUIRED)
file(GLOB PROTO_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/proto/v1/*.proto)
set(proto_sources)
foreach(file ${PROTO_FILES})
    get_filename_component(stem ${file} NAME_WE)
    set(outputs ${PROTO_GENERATED}/proto/v1/${stem}.pb-c.c ${PROTO_GENERATED}/proto/v1/${stem}.pb-c.h)
    add_custom_command(OUTPUT ${outputs}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PROTO_GENERATED}
        COMMAND ${PROTOC_C} --c_out=${PROTO_GENERATED} --proto_path=${CMAKE_SOURCE_DIR} proto/v1/${stem}.proto
        DEPENDS ${PROTO_FILES} COMMENT "proto: ${stem}.proto")
    list(APPEND proto_sources ${outputs})
endforeach()
if(proto_sources)
    add_library(proto STATIC ${proto_sources})
    target_compile_options(proto PRIVATE -w)
    target_include_directories(proto SYSTEM PUBLIC ${PROTO_GENERATED})
    target_link_libraries(proto PUBLIC lib::protobuf-c)
else()
    add_library(proto INTERFACE)
endif()
