# cmake -C .cmake/debug.cmake -B build/debug
# What the tests are run with: assertions on, and fast enough for millions of random messages.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g -D_GLIBCXX_ASSERTIONS" CACHE STRING "")
