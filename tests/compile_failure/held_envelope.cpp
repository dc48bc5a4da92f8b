// What a transport is given is a message that may leave; a sealed envelope is none.
// prints: Released
// prints: Envelope
#include "totora/transport/loopback.hpp"

void send(totora::Loopback& transport, totora::Envelope const& envelope)
{
#ifdef TOTORA_EXPECT_FAILURE
    transport.send(envelope, {});
#else
    if (auto const released = envelope.open())
        transport.send(*released, {});
#endif
}
