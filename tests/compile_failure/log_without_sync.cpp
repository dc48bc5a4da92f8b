// A log that forgot to sync.
// prints: durable_log
// prints: log.sync()
#include "totora/log/memory_log.hpp"

struct Log : private totora::MemoryLog
{
    using MemoryLog::append;
    using MemoryLog::bytes;
    using MemoryLog::close;
    using MemoryLog::durable;
    using MemoryLog::failure;
    using MemoryLog::has_room;
    using MemoryLog::last;
    using MemoryLog::read;
    using MemoryLog::recover;
    using MemoryLog::save_commit;
    using MemoryLog::save_vote;
    using MemoryLog::truncate;
#ifndef TOTORA_EXPECT_FAILURE
    using MemoryLog::sync;
#endif
};

template <totora::durable_log Log>
struct Holder
{};

template struct Holder<Log>;
