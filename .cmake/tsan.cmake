# cmake -C .cmake/tsan.cmake -B build/tsan
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fsanitize=thread -fno-omit-frame-pointer" CACHE STRING "")
