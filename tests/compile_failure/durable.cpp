// Only a log can make a `Durable`.
// prints: Durable
// prints: private
#include "totora/core/messages/release.hpp"

#ifdef TOTORA_EXPECT_FAILURE
totora::Durable const durable{totora::WriteNumber{7}};
#else
struct Log : totora::DurableSource
{
    static totora::Durable durable() { return durable_through(totora::WriteNumber{7}); }
};

totora::Durable const durable = Log::durable();
#endif
