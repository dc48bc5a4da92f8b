# cmake -C .cmake/debug.cmake -B build/debug
# What the tests are run with: assertions on, fast enough for millions of random messages, and with line numbers; for a
# debugger add -DCMAKE_CXX_FLAGS="-g -O0".
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1 -D_GLIBCXX_ASSERTIONS" CACHE STRING "")
