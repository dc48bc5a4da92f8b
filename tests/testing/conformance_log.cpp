// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/log.hpp"

#include "support/awaited_syncer.hpp"
#include "support/log_workload.hpp"
#include "totora/log/forgetful_files.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace totora;
using namespace totora::conformance;
using boost::unit_test::label;

namespace
{

/// What can be wrong with a log.
enum class Fault
{
    none,
    shows_an_old_end,
    reads_everything,
    never_durable,
    durable_before_it_is,
    forgets_votes,
    forgets_failures,
    hides_failures,
    never_has_room,
    always_has_room,
    always_has_a_term,
    mistakes_configurations,
    does_not_open,
    loses_the_last_close,
    reads_nothing,
    names_writes_to_come,
    durable_goes_back,
    fails_to_close,
    changes_what_was_read,
};

/// Says of any write that it is durable.
struct Lying : DurableSource
{
    static Durable through(std::uint64_t write) { return durable_through(WriteNumber{write}); }
};

/// A log of ours, with one thing wrong.
template <typename Base, Fault fault>
class Faulty : public Base
{
public:
    explicit Faulty(Base&& base) : Base(std::move(base)) {}

    [[nodiscard]] LogPosition last() const
    {
        auto last = Base::last();
        if (fault == Fault::shows_an_old_end and last.index.value > 5)
            last.index = before(last.index);
        return last;
    }

    Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        if (fault == Fault::reads_nothing and from.value > 8)
            return Entries{};
        if (fault == Fault::changes_what_was_read)
            return into_own_memory(*Base::read(from, up_to, bytes_max));
        return Base::read(from, up_to, fault == Fault::reads_everything ? std::uint64_t{1} << 40U : bytes_max);
    }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        written_ = write.value;
        Base::save_vote(write, term, vote);
    }

    void append(WriteNumber write, Entries const& entries)
    {
        written_ = write.value;
        Base::append(write, entries);
    }

    Durable durable()
    {
        auto const durable = Base::durable().through().value;
        if (fault == Fault::durable_before_it_is)
            return Lying::through(std::max(durable, written_));
        if (fault == Fault::names_writes_to_come)
            return Lying::through(durable + 7);
        if (fault == Fault::durable_goes_back)
            return Lying::through(durable > 10 and durable % 3 == 1 ? durable - 3 : durable);
        return Base::durable();
    }

    void truncate(WriteNumber write, Index index)
    {
        if (fault == Fault::changes_what_was_read and not memory_->empty())
            (*memory_)[8] ^= std::byte{1}; // In the term of the first entry.
        written_ = write.value;
        Base::truncate(write, index);
    }

    void sync()
    {
        if (fault != Fault::never_durable)
            Base::sync();
    }

    [[nodiscard]] std::optional<LogError> failure() const
    {
        auto const failed = Base::failure();
        if (fault == Fault::fails_to_close and closed_)
            return LogError{LogFailure::write_failed, "It could not leave its mark."};
        if (fault == Fault::hides_failures or (fault == Fault::forgets_failures and failed and ++told_ > 4))
            return std::nullopt;
        return failed;
    }

    [[nodiscard]] bool has_room(std::uint64_t bytes) const
    {
        auto const has_room = Base::has_room(bytes);
        was_full_ = was_full_ or not has_room;
        if (fault == Fault::always_has_a_term and bytes == 0)
            return true;
        return fault == Fault::always_has_room or (has_room and not(fault == Fault::never_has_room and was_full_));
    }

    Result<Recovered, LogError> recover()
    {
        auto recovered = Base::recover();
        if (fault == Fault::does_not_open and recovered->entries.last().index.value > 0)
            return Unexpected{LogError{LogFailure::damaged, "It does not want to."}};
        if (fault == Fault::forgets_votes)
            recovered->voted_for = std::optional<ServerId>{};
        if (fault == Fault::mistakes_configurations)
            recovered->previous_configuration = recovered->configuration;
        return recovered;
    }

    void close()
    {
        if (fault != Fault::loses_the_last_close)
            Base::close();
        closed_ = true;
    }

private:
    Entries into_own_memory(Entries const& entries)
    {
        memory_ = std::make_shared<std::vector<std::byte>>();
        for (auto const entry : entries)
            memory_->insert(memory_->end(), entry.encoded.begin(), entry.encoded.end());
        auto same = Entries{};
        same.add({memory_, *memory_}, entries.count());
        return same;
    }

    std::shared_ptr<std::vector<std::byte>> memory_ = std::make_shared<std::vector<std::byte>>();
    std::uint64_t                           written_ = 0;
    bool                                    closed_ = false;
    mutable int                             told_ = 0;
    mutable bool                            was_full_ = false;
};

/// A segmented log on a disk that forgets.
template <typename Syncer, Fault fault = Fault::none>
class OnForgetfulDisk
{
public:
    using Base = SegmentedLog<ForgetfulFiles, Syncer>;
    using Log = Faulty<Base, fault>;

    OnForgetfulDisk() : OnForgetfulDisk(test::disk_with_log()) {}

    explicit OnForgetfulDisk(test::Disk disk) : disk_(std::move(disk)) {}

    Result<Log*, LogError> open()
    {
        auto opened = Base::open(ForgetfulFiles{disk_}, test::small_options());
        if (not opened)
            return Unexpected{opened.error()};
        return &log_.emplace(std::move(*opened));
    }

    void stop()
    {
        log_.reset();
        disk_->interfere(nullptr);
        disk_->lose_power();
    }

    void fail()
    {
        disk_->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
    }

    void settle()
    {
        if constexpr (requires { Syncer::settle(); })
            Syncer::settle();
    }

    void fill() { disk_->limit_space(0); }
    void free() { disk_->limit_space(std::uint64_t{1} << 30U); }

    /// Flips a bit in every 13th byte of every file.
    std::optional<OnForgetfulDisk> damaged(std::uint64_t place)
    {
        auto at = place * 13;
        for (auto const& name : disk_->file_names()) {
            auto bytes = disk_->content(name);
            if (at >= bytes.size()) {
                at -= bytes.size();
                continue;
            }
            bytes[static_cast<std::size_t>(at)] ^= std::byte{1} << (at % 8);
            auto copy = disk_->clone();
            copy->set_content(name, bytes);
            return OnForgetfulDisk{std::move(copy)};
        }
        return std::nullopt;
    }

private:
    test::Disk         disk_;
    std::optional<Log> log_;
};

/// A log that takes damage for an empty log.
class CredulousLog
{
public:
    using Log = MemoryLog;

    Result<Log*, LogError> open() { return &log_; }
    void                   stop() { log_.crash(); }
    void                   settle() {}

    std::optional<CredulousLog> damaged(std::uint64_t place)
    {
        return place == 0 ? std::optional{CredulousLog{}} : std::nullopt;
    }

private:
    MemoryLog log_{identity_of_first()};
};

/// The log in memory, whose syncs wait until the next one when `fault` says so.
template <Fault fault = Fault::none>
class InMemory
{
public:
    using Log = Faulty<MemoryLog, fault>;

    Result<Log*, LogError> open() { return &log_; }
    void                   stop() { log_.crash(); }
    void                   settle() {}
    void                   fail() { log_.fail_next_sync(); }
    void                   fill() { log_.limit_capacity(5000); }
    void                   free() { log_.limit_capacity(std::uint64_t{1} << 30U); }

private:
    Log log_{MemoryLog{identity_of_first()}};
};

/// Whether a law is among those that this kind of log is found to break, and that the finding says how.
template <typename Storage>
bool catches(std::string const& law)
{
    auto const broken = check_log([] { return Storage{}; }, 8);
    auto const found = std::find_if(broken.begin(), broken.end(), [&](auto const& one) { return one.law == law; });
    BOOST_TEST((found != broken.end()), law << " is not among:\n" << told(broken));
    return found != broken.end() and not found->sentence.empty() and found->reproduction.size() > 1;
}

template <Fault fault>
bool catches(std::string const& law)
{
    return catches<OnForgetfulDisk<InlineSyncer, fault>>(law);
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_log)

BOOST_AUTO_TEST_CASE(the_segmented_log_keeps_all_laws, *label("case_63") * label("case_66") * label("case_67"))
{
    BOOST_TEST(told(check_log([] { return OnForgetfulDisk<InlineSyncer>{}; })) == "");
    BOOST_TEST(told(check_log([] { return OnForgetfulDisk<test::AwaitedSyncer>{}; }, 5)) == "");
}

BOOST_AUTO_TEST_CASE(the_log_in_memory_keeps_all_laws)
{
    BOOST_TEST(told(check_log([] { return InMemory<>{}; })) == "");
}

BOOST_AUTO_TEST_CASE(a_log_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(catches<Fault::shows_an_old_end>("what is written is seen at once"));
    BOOST_TEST(catches<Fault::reads_everything>("a read is cut, but gives one entry"));
    BOOST_TEST(catches<Fault::never_durable>("what is synced becomes durable"));
    BOOST_TEST(catches<Fault::names_writes_to_come>("durable names what was written"));
    BOOST_TEST(catches<Fault::durable_goes_back>("durable never goes back"));
    BOOST_TEST(catches<Fault::changes_what_was_read>("pinned entries do not change"));
    BOOST_TEST(catches<Fault::durable_before_it_is>("durable writes survive"));
    BOOST_TEST(catches<Fault::forgets_votes>("recovery gives a prefix"));
    BOOST_TEST(catches<Fault::reads_nothing>("what was recovered can be read"));
    BOOST_TEST(catches<Fault::does_not_open>("a stopped log starts again"));
    BOOST_TEST(catches<Fault::loses_the_last_close>("a clean stop keeps everything"));
    BOOST_TEST(catches<Fault::fails_to_close>("close does not fail"));
    BOOST_TEST(catches<Fault::mistakes_configurations>("the two newest configurations are recovered"));
    BOOST_TEST(catches<Fault::hides_failures>("a failed write is reported"));
    BOOST_TEST(catches<Fault::forgets_failures>("a failure is for ever"));
    BOOST_TEST(catches<Fault::never_has_room>("no room can end"));
    BOOST_TEST(catches<InMemory<Fault::always_has_room>>("no room is refused"));
    BOOST_TEST(catches<Fault::always_has_a_term>("room for 0 bytes is room for a term"));
    BOOST_TEST(catches<CredulousLog>("damage is reported"));
}

BOOST_AUTO_TEST_SUITE_END()
