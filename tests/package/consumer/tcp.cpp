// A program that uses the transport, which is the only part that needs Boost.
#include <totora/transport/tcp.hpp>

#include <totora/totora.hpp>

int main() { return 0; }
