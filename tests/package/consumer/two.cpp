#include <totora/totora.hpp>
#include <totora/version.hpp>

char const* version_in_two();

char const* version_in_two() { return totora::version_string; }
