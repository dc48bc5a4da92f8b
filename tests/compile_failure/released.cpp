// A promise cannot leave before it is durable: from a held envelope, a message to send is made by nothing but the log's word.
// prints: Released
// prints: private
#include "totora/core/messages/release.hpp"

struct Log : totora::DurableSource
{
    static totora::Durable durable() { return durable_through(totora::WriteNumber{7}); }
};

totora::Envelope const held{totora::ServerId{2}, totora::Rpc{totora::RequestVoteResponse{totora::Term{1}, true}},
                            totora::Release::once_durable(totora::WriteNumber{7})};

#ifdef TOTORA_EXPECT_FAILURE
totora::Released const message{held.to(), held.rpc()};
#else
totora::Released const message = held.open(Log::durable()).value();
#endif
