// What is released refers to its envelope: a transport that keeps a message for later copies the message in it, not this.
// prints: Released
// prints: deleted
#include "totora/core/messages/release.hpp"

#include <vector>

struct Queue
{
    void send(totora::Released const& message)
    {
#ifdef TOTORA_EXPECT_FAILURE
        waiting.push_back(message);
    }

    std::vector<totora::Released> waiting;
#else
        waiting.push_back(message.rpc());
    }

    std::vector<totora::Rpc> waiting;
#endif
};
