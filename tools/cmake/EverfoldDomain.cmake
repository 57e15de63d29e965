# everfold_add_domain(TARGET PROTOS a.proto ... [VALUES b.proto ...] [PROTO_ROOT dir])
#
# Declares the library TARGET from a domain's .proto files, in two passes: for each file of PROTOS the first pass
# writes its services, <file>_api.proto, and the second runs protoc's C++, gRPC and everfold generators on both.
# VALUES are files of plain messages that the others import. Paths are relative to PROTO_ROOT, by default ./proto.
#
#   #include "wallet/v1/wallet.everfold.h"
#
# Clients in other languages need <file>_api.proto, so it is checked in beside its source. The build uses a fresh one
# of its own; the test <TARGET>_api_is_current fails where the checked-in one differs, and the target update_api
# writes it anew.
get_property(everfold_known_proto_dir GLOBAL PROPERTY EVERFOLD_PROTO_DIR)
if(NOT everfold_known_proto_dir)
  # A function sees its caller's variables, so the folder of everfold's own .proto files is a global property.
  cmake_path(SET everfold_proto_dir NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../proto")
  set_property(GLOBAL PROPERTY EVERFOLD_PROTO_DIR ${everfold_proto_dir})
endif()
set_property(GLOBAL PROPERTY EVERFOLD_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

function(everfold_add_domain target)
  cmake_parse_arguments(A "" "PROTO_ROOT" "PROTOS;VALUES" ${ARGN})
  if(NOT A_PROTOS)
    message(FATAL_ERROR "everfold_add_domain(${target}): name the domain's files after PROTOS")
  endif()
  if(NOT A_PROTO_ROOT)
    set(A_PROTO_ROOT ${CMAKE_CURRENT_SOURCE_DIR}/proto)
  endif()
  get_property(everfold_protos GLOBAL PROPERTY EVERFOLD_PROTO_DIR)
  get_property(everfold_cmake GLOBAL PROPERTY EVERFOLD_CMAKE_DIR)
  set(gen ${CMAKE_CURRENT_BINARY_DIR}/${target}.gen)
  set(api ${CMAKE_CURRENT_BINARY_DIR}/${target}.api)
  file(MAKE_DIRECTORY ${gen} ${api})
  set(protoc protobuf::protoc -I ${A_PROTO_ROOT} -I ${everfold_protos})
  set(with_everfold --plugin=protoc-gen-everfold=$<TARGET_FILE:everfold::protoc-gen-everfold>)
  set(with_grpc --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
  list(TRANSFORM A_PROTOS PREPEND ${A_PROTO_ROOT}/ OUTPUT_VARIABLE proto_files)
  list(TRANSFORM A_VALUES PREPEND ${A_PROTO_ROOT}/ OUTPUT_VARIABLE value_files)
  set(inputs ${proto_files} ${value_files} everfold::protoc-gen-everfold ${everfold_protos}/everfold/v1/options.proto)

  set(sources "")
  set(fresh_files "")
  foreach(proto ${A_VALUES})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    add_custom_command(
      OUTPUT ${gen}/${stem}.pb.cc ${gen}/${stem}.pb.h
      COMMAND ${protoc} --cpp_out=${gen} ${proto}
      DEPENDS ${inputs} COMMENT "everfold: ${proto}" VERBATIM)
    list(APPEND sources ${gen}/${stem}.pb.cc)
  endforeach()
  foreach(proto ${A_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    add_custom_command(
      OUTPUT ${api}/${stem}_api.proto
      COMMAND ${protoc} ${with_everfold} --everfold_out=pass=api:${api} ${proto}
      DEPENDS ${inputs} COMMENT "everfold: services of ${proto}" VERBATIM)
    add_custom_command(
      OUTPUT ${gen}/${stem}.pb.cc ${gen}/${stem}.pb.h ${gen}/${stem}.everfold.cc ${gen}/${stem}.everfold.h
      COMMAND ${protoc} ${with_everfold} --cpp_out=${gen} --everfold_out=pass=cpp:${gen} ${proto}
      DEPENDS ${inputs} COMMENT "everfold: C++ of ${proto}" VERBATIM)
    add_custom_command(
      OUTPUT ${gen}/${stem}_api.pb.cc ${gen}/${stem}_api.pb.h ${gen}/${stem}_api.grpc.pb.cc
             ${gen}/${stem}_api.grpc.pb.h ${gen}/${stem}_api.everfold.cc
      COMMAND protobuf::protoc -I ${api} -I ${A_PROTO_ROOT} -I ${everfold_protos} ${with_everfold} ${with_grpc}
              --cpp_out=${gen} --grpc_out=${gen} --everfold_out=pass=cpp:${gen} ${stem}_api.proto
      DEPENDS ${inputs} ${api}/${stem}_api.proto COMMENT "everfold: C++ of ${stem}_api.proto" VERBATIM)
    list(APPEND sources ${gen}/${stem}.pb.cc ${gen}/${stem}.everfold.cc ${gen}/${stem}_api.pb.cc
         ${gen}/${stem}_api.grpc.pb.cc ${gen}/${stem}_api.everfold.cc)
    list(APPEND fresh_files ${stem}_api.proto)
  endforeach()

  add_library(${target} STATIC ${sources})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} SYSTEM PUBLIC ${gen})
  target_link_libraries(${target} PUBLIC everfold::everfold gRPC::grpc++)

  string(JOIN "," fresh_list ${fresh_files})
  set(check ${CMAKE_COMMAND} -DFILES=${fresh_list} -DFRESH=${api} -DCHECKED_IN=${A_PROTO_ROOT})
  add_custom_target(${target}_update_api
    COMMAND ${check} -DUPDATE=ON -P ${everfold_cmake}/EverfoldApiCheck.cmake DEPENDS ${target} VERBATIM)
  if(NOT TARGET update_api)
    add_custom_target(update_api)
  endif()
  add_dependencies(update_api ${target}_update_api)
  if(BUILD_TESTING)
    add_test(NAME ${target}_api_is_current COMMAND ${check} -P ${everfold_cmake}/EverfoldApiCheck.cmake)
  endif()
endfunction()
