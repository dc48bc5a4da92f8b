// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/log.hpp"

#include "support/log/awaited_syncer.hpp"
#include "support/log/checking_log.hpp"
#include "support/log_workload.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::conformance_log_tests
{

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
    commits_the_last_entry,
    commits_one_more,
    forgets_the_commit,
    forgets_the_group,
    mixes_up_id_and_incarnation,
    forgets_the_first_members,
    forgets_the_one_before,
    forgets_addresses,
    takes_the_newest_for_the_one_before,
    is_always_clean,
    is_never_clean,
    keeps_the_mark,
    reads_what_was_truncated,
    counts_what_was_truncated,
    keeps_bytes_without_a_pin,
    forgets_the_time,
    goes_on_with_old_numbers,
    does_not_wake,
    wakes_whom_it_should_not,
    throws,
    fails_beyond_the_end,
    has_room_for_very_much,
    stands_still_when_full,
    fails_by_itself,
    narrows_terms,
    narrows_ids,
    loses_a_page,
};

/// Reports any write durable.
struct Lying : DurableSource
{
    static Durable through(std::uint64_t write) { return durable_through(WriteNumber{write}); }
};

/// What a faulty log keeps of the starts before.
struct Memory
{
    std::uint64_t                                   durable = 0;
    bool                                            was_clean = false;
    std::map<std::uint64_t, std::vector<std::byte>> entries; ///< As they were first appended at each index.
    std::vector<std::function<void()>>              wakes;
};

/// A log of ours, with one fault.
template <typename Base>
class Faulty : public Base
{
public:
    Faulty(Base&& base, Fault fault, Memory& memory) : Base(std::move(base)), fault_(fault), memory_(memory) {}

    [[nodiscard]] LogPosition last() const
    {
        auto last = Base::last();
        if (fault_ == Fault::shows_an_old_end and last.index.value > 5)
            last.index = before(last.index);
        return last;
    }

    Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        if (fault_ == Fault::reads_nothing and from.value > 8)
            return Entries{};
        if (fault_ == Fault::loses_a_page and from.value <= 1024 and up_to.value > 1024)
            up_to = Index{1023};
        if (fault_ == Fault::fails_beyond_the_end and from > Base::last().index)
            return Unexpected{LogError{LogFailure::read_failed, "Nothing is there."}};
        auto read = Base::read(from, up_to, fault_ == Fault::reads_everything ? std::uint64_t{1} << 40U : bytes_max);
        if (read and fault_ == Fault::changes_what_was_read)
            return into_own_memory(*read);
        if (read and fault_ == Fault::reads_what_was_truncated)
            return as_first_appended(*read);
        return read;
    }

    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const
    {
        if (fault_ != Fault::counts_what_was_truncated)
            return Base::bytes(first, up_to);
        auto sum = std::uint64_t{0};
        for (auto index = first; index <= std::min(up_to, Base::last().index); index = next(index))
            sum += memory_.entries.at(index.value).size();
        return sum;
    }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        written_ = write.value;
        if (fault_ == Fault::throws and written_ > 4)
            throw std::runtime_error("It is full.");
        Base::save_vote(write, term, vote);
    }

    void append(WriteNumber write, Entries const& entries)
    {
        written_ = write.value;
        for (auto const& entry : entries)
            memory_.entries.try_emplace(entry.index.value, entry.encoded.begin(), entry.encoded.end());
        if (fault_ == Fault::keeps_bytes_without_a_pin)
            return Base::append(write, without_pin(entries));
        Base::append(write, fault_ == Fault::forgets_the_time ? without_time(entries) : entries);
    }

    Durable durable()
    {
        auto const durable = Base::durable().through().value;
        auto const before = std::exchange(memory_.durable, std::max(memory_.durable, durable));
        if (fault_ == Fault::durable_before_it_is)
            return Lying::through(std::max(durable, written_));
        if (fault_ == Fault::names_writes_to_come)
            return Lying::through(durable + 7);
        if (fault_ == Fault::durable_goes_back)
            return Lying::through(durable > 10 and durable % 3 == 1 ? durable - 3 : durable);
        if (fault_ == Fault::goes_on_with_old_numbers)
            return Lying::through(std::max(durable, before));
        return Base::durable();
    }

    void truncate(WriteNumber write, Index index)
    {
        if (fault_ == Fault::changes_what_was_read and not own_->empty())
            (*own_)[8] ^= std::byte{1}; // In the term of the first entry.
        written_ = write.value;
        Base::truncate(write, index);
    }

    void sync()
    {
        auto const is_full = fault_ == Fault::stands_still_when_full and not Base::has_room(0);
        if (fault_ != Fault::never_durable and not is_full)
            Base::sync();
        if (fault_ == Fault::wakes_whom_it_should_not)
            for (auto const& wake : memory_.wakes)
                wake();
    }

    void set_wake(std::function<void()> wake) requires requires(Base& base) { base.set_wake(std::function<void()>{}); }
    {
        memory_.wakes.push_back(wake);
        if (fault_ != Fault::does_not_wake)
            Base::set_wake(std::move(wake));
    }

    [[nodiscard]] std::optional<LogError> failure() const
    {
        auto const failed = Base::failure();
        if (fault_ == Fault::fails_to_close and closed_)
            return LogError{LogFailure::write_failed, "It could not leave its mark."};
        if (fault_ == Fault::fails_by_itself and written_ > 20)
            return LogError{LogFailure::write_failed, "It does not feel well."};
        if (fault_ == Fault::hides_failures or (fault_ == Fault::forgets_failures and failed and ++reported_ > 4))
            return std::nullopt;
        return failed;
    }

    [[nodiscard]] bool has_room(std::uint64_t bytes) const
    {
        auto const has_room = Base::has_room(fault_ == Fault::has_room_for_very_much ? bytes % (1U << 20U) : bytes);
        was_full_ = was_full_ or not has_room;
        if ((fault_ == Fault::always_has_a_term and bytes == 0) or
            (fault_ == Fault::stands_still_when_full and written_ < 60))
            return true;
        return fault_ == Fault::always_has_room or (has_room and not(fault_ == Fault::never_has_room and was_full_));
    }

    Result<Recovered, LogError> recover()
    {
        auto recovered = Base::recover();
        if (fault_ == Fault::does_not_open and recovered->entries.last().index.value > 0)
            return Unexpected{LogError{LogFailure::damaged, "It does not want to."}};
        alter(*recovered);
        return recovered;
    }

    void close()
    {
        if (fault_ != Fault::loses_the_last_close)
            Base::close();
        closed_ = true;
        memory_.was_clean = true;
    }

private:
    void alter(Recovered& recovered) const
    {
        auto const first = first_configuration(recovered.identity);
        auto const last = recovered.entries.last().index;
        if (fault_ == Fault::forgets_votes)
            recovered.voted_for = std::optional<ServerId>{};
        if (fault_ == Fault::mistakes_configurations)
            recovered.configuration = recovered.previous_configuration;
        if (fault_ == Fault::takes_the_newest_for_the_one_before)
            recovered.previous_configuration = recovered.configuration;
        if (fault_ == Fault::forgets_the_one_before and recovered.configuration != first)
            recovered.previous_configuration = Configuration{};
        if (fault_ == Fault::forgets_the_first_members and recovered.configuration == first)
            recovered.configuration = recovered.previous_configuration = Configuration{};
        if (fault_ == Fault::forgets_addresses)
            recovered.peers = {peers_of(recovered.configuration, {}), peers_of(recovered.previous_configuration, {})};
        if (fault_ == Fault::commits_the_last_entry)
            recovered.commit_index = last;
        if (fault_ == Fault::commits_one_more)
            recovered.commit_index = std::min(last, next(recovered.commit_index));
        if (fault_ == Fault::narrows_terms) // As a double would.
            recovered.current_term =
                Term{static_cast<std::uint64_t>(static_cast<double>(recovered.current_term.value))};
        if (fault_ == Fault::narrows_ids and recovered.voted_for)
            recovered.voted_for = ServerId{recovered.voted_for->value % (std::uint64_t{1} << 63U)};
        if (fault_ == Fault::forgets_the_commit)
            recovered.commit_index = Index{};
        if (fault_ == Fault::forgets_the_group)
            recovered.identity.group = 0;
        if (fault_ == Fault::mixes_up_id_and_incarnation)
            recovered.identity.incarnation = Incarnation{recovered.identity.id.value};
        if (fault_ == Fault::is_always_clean or (fault_ == Fault::keeps_the_mark and memory_.was_clean))
            recovered.cleanly_stopped = true;
        if (fault_ == Fault::is_never_clean)
            recovered.cleanly_stopped = false;
    }

    Entries into_own_memory(Entries const& entries)
    {
        own_ = std::make_shared<std::vector<std::byte>>();
        for (auto const entry : entries)
            own_->insert(own_->end(), entry.encoded.begin(), entry.encoded.end());
        auto same = Entries{};
        same.add({own_, *own_}, entries.count());
        return same;
    }

    /// As a cache would do it that was not notified of a truncation.
    [[nodiscard]] Entries as_first_appended(Entries const& entries) const
    {
        auto old = Entries{};
        for (auto const entry : entries) {
            auto const block = std::make_shared<std::vector<std::byte>>(memory_.entries.at(entry.index.value));
            old.add({block, *block}, 1);
        }
        return old;
    }

    [[nodiscard]] static Entries without_pin(Entries const& entries)
    {
        auto same = Entries{};
        for (auto const& slice : entries.slices())
            same.add({nullptr, slice.bytes}, same.empty() ? entries.count() : 0);
        return same;
    }

    [[nodiscard]] static Entries without_time(Entries const& entries)
    {
        auto same = Entries{};
        for (auto const entry : entries)
            same.add(entry_slice(entry.index, entry.term, entry.payload, entry.kind), 1);
        return same;
    }

    Fault                                   fault_;
    Memory&                                 memory_;
    std::shared_ptr<std::vector<std::byte>> own_ = std::make_shared<std::vector<std::byte>>();
    std::uint64_t                           written_ = 0;
    bool                                    closed_ = false;
    mutable int                             reported_ = 0;
    mutable bool                            was_full_ = false;
};

/// A segmented log on a disk that forgets.
template <typename Syncer>
class OnForgetfulDisk
{
public:
    using Base = SegmentedLog<ForgetfulFiles, Syncer>;
    using Log = Faulty<Base>;

    explicit OnForgetfulDisk(Fault fault = Fault::none) : OnForgetfulDisk(std::make_shared<ForgetfulDisk>(), fault)
    {
        auto files = ForgetfulFiles{disk_};
        (void)create_log(files, sample_identity());
    }

    OnForgetfulDisk(test::Disk disk, Fault fault) : fault_(fault), disk_(std::move(disk)) {}

    Result<Log*, LogError> open()
    {
        auto opened = Base::open(ForgetfulFiles{disk_}, test::small_options());
        if (not opened)
            return Unexpected{opened.error()};
        return &log_.emplace(std::move(*opened), fault_, *memory_);
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
            return OnForgetfulDisk{std::move(copy), fault_};
        }
        return std::nullopt;
    }

private:
    Fault                   fault_;
    test::Disk              disk_;
    std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
    std::optional<Log>      log_;
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
    MemoryLog log_{sample_identity()};
};

/// The log in memory.
class InMemory
{
public:
    using Log = Faulty<MemoryLog>;

    explicit InMemory(Fault fault = Fault::none) : log_(MemoryLog{sample_identity()}, fault, *memory_) {}

    Result<Log*, LogError> open() { return &log_; }
    void                   stop() { log_.crash(); }
    void                   settle() {}
    void                   fail() { log_.fail_next_sync(); }
    void                   fill() { log_.limit_capacity(5000); }
    void                   free() { log_.limit_capacity(std::uint64_t{1} << 30U); }

private:
    std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
    Log                     log_;
};

/// Whether a law is among those that this kind of log is found to break, with a description.
template <typename Make>
bool catches(Make make, std::string const& law)
{
    auto const broken = check_log(make, 8);
    auto const found = std::find_if(broken.begin(), broken.end(), [&](auto const& one) { return one.law == law; });
    BOOST_TEST((found != broken.end()), law << " is not among:\n" << to_string(broken));
    return found != broken.end() and not found->what.empty() and found->reproduction.size() > 1;
}

bool catches(Fault fault, std::string const& law)
{
    return catches([=] { return OnForgetfulDisk<InlineSyncer>{fault}; }, law);
}

bool catches_in_memory(Fault fault, std::string const& law)
{
    return catches([=] { return InMemory{fault}; }, law);
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_log)

BOOST_AUTO_TEST_CASE(the_segmented_log_keeps_all_laws, *label("case_63") * label("case_66") * label("case_67"))
{
    BOOST_TEST(to_string(check_log([] { return OnForgetfulDisk<InlineSyncer>{}; })) == "");
    BOOST_TEST(to_string(check_log([] { return OnForgetfulDisk<test::AwaitedSyncer>{}; }, 5)) == "");
}

BOOST_AUTO_TEST_CASE(the_log_in_memory_keeps_all_laws)
{
    BOOST_TEST(to_string(check_log([] { return InMemory{}; })) == "");
}

/// As `save_commit` requires of its caller; otherwise a kit would check logs by what no node does.
BOOST_AUTO_TEST_CASE(the_workload_saves_no_commit_index_above_what_is_durable, *label("case_83"))
{
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed) {
        auto log = test::CheckingLog{sample_identity()};
        BOOST_REQUIRE(log.recover().has_value());
        log.memory.hold_syncs();
        auto workload = Workload{seed, {.commit = 30}};
        for (auto step = std::uint64_t{1}; step <= 300; ++step) {
            workload.step(log);
            if (step % 7 == 0)
                log.memory.complete_through(WriteNumber{workload.writes() - workload.writes() / 4});
        }

        BOOST_TEST(not log.saved_above_durable);
        BOOST_TEST(workload.commit_index().value > 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(catches(Fault::shows_an_old_end, "what is written is seen at once"));
    BOOST_TEST(catches(Fault::reads_everything, "a read is cut, but gives one entry"));
    BOOST_TEST(catches(Fault::never_durable, "what is synced becomes durable"));
    BOOST_TEST(catches(Fault::names_writes_to_come, "durable names what was written"));
    BOOST_TEST(catches(Fault::durable_goes_back, "durable never goes back"));
    BOOST_TEST(catches(Fault::changes_what_was_read, "pinned entries do not change"));
    BOOST_TEST(catches(Fault::durable_before_it_is, "durable writes survive"));
    BOOST_TEST(catches(Fault::forgets_votes, "recovery gives a prefix"));
    BOOST_TEST(catches(Fault::reads_nothing, "what was recovered can be read"));
    BOOST_TEST(catches(Fault::does_not_open, "a stopped log starts again"));
    BOOST_TEST(catches(Fault::loses_the_last_close, "a clean stop keeps everything"));
    BOOST_TEST(catches(Fault::fails_to_close, "close does not fail"));
    BOOST_TEST(catches(Fault::mistakes_configurations, "the two newest configurations are recovered"));
    BOOST_TEST(catches(Fault::takes_the_newest_for_the_one_before, "the two newest configurations are recovered"));
    BOOST_TEST(catches(Fault::forgets_the_one_before, "the two newest configurations are recovered"));
    BOOST_TEST(catches(Fault::forgets_addresses, "the addresses of members are recovered"));
    BOOST_TEST(catches(Fault::hides_failures, "a failed write is reported"));
    BOOST_TEST(catches(Fault::forgets_failures, "a failure is permanent"));
    BOOST_TEST(catches(Fault::never_has_room, "no room can end"));
    BOOST_TEST(catches_in_memory(Fault::always_has_room, "no room is refused"));
    BOOST_TEST(catches(Fault::always_has_a_term, "room for 0 bytes is room for a term"));
    BOOST_TEST(catches([] { return CredulousLog{}; }, "damage is reported"));
}

/// A wrong commit index is a wrong state machine; a wrong identity, another server.
BOOST_AUTO_TEST_CASE(a_log_that_recovers_what_was_never_written_is_caught_by_that_law,
                     *label("case_68") * label("case_83"))
{
    auto const commit = std::string{"a recovered commit index was saved and is in the log"};
    BOOST_TEST(catches(Fault::commits_the_last_entry, commit));
    BOOST_TEST(catches(Fault::commits_one_more, commit));
    BOOST_TEST(catches(Fault::forgets_the_commit, "a saved commit index is remembered"));
    BOOST_TEST(catches(Fault::forgets_the_group, "the identity is kept"));
    BOOST_TEST(catches(Fault::mixes_up_id_and_incarnation, "the identity is kept"));
    BOOST_TEST(catches(Fault::forgets_the_first_members,
                       "without another configuration that of the first members is recovered"));
    BOOST_TEST(catches(Fault::forgets_the_first_members, "the two newest configurations are recovered"));
    BOOST_TEST(catches(Fault::is_always_clean, "a clean stop leaves its mark"));
    BOOST_TEST(catches(Fault::is_never_clean, "a clean stop leaves its mark"));
    BOOST_TEST(catches(Fault::keeps_the_mark, "a clean stop leaves its mark"));
    BOOST_TEST(catches(Fault::goes_on_with_old_numbers, "durable names what was written"));
    BOOST_TEST(catches(Fault::narrows_terms, "numbers of any size are kept"));
    BOOST_TEST(catches(Fault::narrows_ids, "numbers of any size are kept"));
    BOOST_TEST(catches(Fault::loses_a_page, "a long log is kept"));
    BOOST_TEST(catches(Fault::forgets_the_time, "entries come back byte for byte"));
}

BOOST_AUTO_TEST_CASE(a_log_that_reads_something_else_than_was_written_is_caught_by_that_law)
{
    BOOST_TEST(catches(Fault::reads_what_was_truncated, "what replaces a suffix is read in its place"));
    BOOST_TEST(catches(Fault::counts_what_was_truncated, "what replaces a suffix is read in its place"));
    BOOST_TEST(catches(Fault::keeps_bytes_without_a_pin, "what is written is seen at once"));
    BOOST_TEST(catches(Fault::fails_beyond_the_end, "a read beyond the end is empty"));
}

BOOST_AUTO_TEST_CASE(a_log_whose_calls_do_something_else_than_promised_is_caught_by_that_law)
{
    BOOST_TEST(catches(Fault::does_not_wake, "what becomes durable wakes"));
    BOOST_TEST(catches(Fault::wakes_whom_it_should_not, "a replaced wake-up is called no more"));
    BOOST_TEST(catches(Fault::throws, "no call throws"));
    BOOST_TEST(catches(Fault::fails_by_itself, "a log does not fail by itself"));
    BOOST_TEST(catches(Fault::has_room_for_very_much, "no room is refused"));
    BOOST_TEST(catches_in_memory(Fault::stands_still_when_full, "what there is room for is written"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_log_tests
