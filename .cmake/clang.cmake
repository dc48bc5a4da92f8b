# cmake -C .cmake/clang.cmake -B build/clang
# cmake -DTOTORA_CLANG=19 -C .cmake/clang.cmake -B build/clang-19
if(NOT TOTORA_CLANG)
    set(TOTORA_CLANG 14)
endif()
set(CMAKE_CXX_COMPILER clang++-${TOTORA_CLANG} CACHE STRING "")
include(${CMAKE_CURRENT_LIST_DIR}/debug.cmake)
