# Run by everfold_add_domain: compares the checked-in <file>_api.proto files with fresh ones, or (UPDATE) writes them.
string(REPLACE "," ";" files "${FILES}")
set(stale "")
foreach(file ${files})
  if(UPDATE)
    configure_file(${FRESH}/${file} ${CHECKED_IN}/${file} COPYONLY)
    continue()
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${FRESH}/${file} ${CHECKED_IN}/${file}
                  RESULT_VARIABLE differs OUTPUT_QUIET ERROR_QUIET)
  if(differs)
    list(APPEND stale ${CHECKED_IN}/${file})
  endif()
endforeach()
if(stale)
  list(JOIN stale "\n  " names)
  message(FATAL_ERROR "These files are not what their sources generate:\n  ${names}\n"
    "Write them anew with `cmake --build <build directory> --target update_api`, and commit them.")
endif()
