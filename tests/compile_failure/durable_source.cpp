// Who is not a log cannot ask one's base class for its word.
// prints: durable_through
// prints: protected
#include "totora/core/messages/release.hpp"

struct Log : totora::DurableSource
{
    static totora::Durable durable() { return durable_through(totora::WriteNumber{7}); }
};

#ifdef TOTORA_EXPECT_FAILURE
totora::Durable const durable = totora::DurableSource::durable_through(totora::WriteNumber{7});
#else
totora::Durable const durable = Log::durable();
#endif
