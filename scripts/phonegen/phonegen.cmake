# Gives a target that compiles shared/phone_tables.cpp the tables of the world's numbers:
#   include(scripts/phonegen/phonegen.cmake)
#   topup_phone_tables(topup_core)
set(TOPUP_PHONEGEN_DIR "${CMAKE_CURRENT_LIST_DIR}")

function(topup_phone_tables target)
  set(sources make_tables.sh phonegen.cpp package-lock.json)
  list(TRANSFORM sources PREPEND "${TOPUP_PHONEGEN_DIR}/")
  list(APPEND sources "${TOPUP_PHONEGEN_DIR}/../../shared/phone_packing.h")
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/generated")
  add_custom_command(
    OUTPUT "${folder}/phone_tables.inc"
    COMMAND "${TOPUP_PHONEGEN_DIR}/make_tables.sh" "${folder}/phone_tables.inc"
    DEPENDS ${sources}
    COMMENT "Compiling the numbering plans"
    VERBATIM)
  target_sources(${target} PRIVATE "${folder}/phone_tables.inc")
  target_include_directories(${target} SYSTEM PRIVATE "${folder}")
endfunction()
