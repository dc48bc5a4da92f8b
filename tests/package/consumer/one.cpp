// A program of two translation units that both include the whole library.
#include <totora/totora.hpp>
#include <totora/version.hpp>

#include <cstring>

char const* version_in_two();

int main() { return std::strcmp(totora::version_string, version_in_two()); }
