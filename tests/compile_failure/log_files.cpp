// Files that cannot make a new name durable.
// prints: log_files
// prints: files.sync_directory()
#include "totora/log/segmented_log.hpp"

struct Files
{
    struct File
    {
        totora::Result<std::uint64_t, totora::FileError> size();
        totora::Result<totora::Done, totora::FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts);
        totora::Result<std::size_t, totora::FileError>  read(std::uint64_t offset, std::span<std::byte> into);
        totora::Result<totora::Done, totora::FileError> allocate(std::uint64_t size);
        totora::Result<totora::Done, totora::FileError> truncate(std::uint64_t size);
        totora::Result<totora::Done, totora::FileError> sync();
    };

    totora::Result<std::vector<std::string>, totora::FileError> names();
    totora::Result<File, totora::FileError>                     open(std::string_view name);
    totora::Result<File, totora::FileError>                     create(std::string_view name);
    totora::Result<totora::Done, totora::FileError>             rename(std::string_view from, std::string_view to);
    totora::Result<totora::Done, totora::FileError>             remove(std::string_view name);
#ifndef TOTORA_EXPECT_FAILURE
    totora::Result<totora::Done, totora::FileError> sync_directory();
#endif
};

using Log = totora::SegmentedLog<Files>;
static_assert(sizeof(Log) > 0);
