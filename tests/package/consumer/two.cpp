#include <totora/totora.hpp>

char const* version_in_two();

char const* version_in_two()
{
    return totora::version_string;
}
