// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <range/v3/view/iota.hpp>
#include <range/v3/view/zip.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of what a log holds: any bytes, any numbers, any length, before and after a start. See `check_log`.
template <typename Storage>
class LogContentLaws
{
public:
    explicit LogContentLaws(LogUser<Storage>& user) : user_(user) {}

    /// Terms and ids have 64 bits.
    void numbers_of_any_size_are_kept()
    {
        auto* log = user_.start();
        for (auto const term : {std::uint64_t{1} << 31U, (std::uint64_t{1} << 53U) + 1, number_max}) {
            if (log == nullptr)
                return;
            auto const vote = ServerId{std::numeric_limits<std::uint64_t>::max() - term % 2};
            user_.call("save a vote for " + std::to_string(vote.value) + " in term " + std::to_string(term));
            log->save_vote(user_.next_write(), Term{term}, vote);
            user_.append(*log, Term{term}, 2);
            auto const last = log->last();
            log = user_.restart(*log, found_);
            user_.expect(log == nullptr or (found_.current_term == Term{term} and found_.voted_for == vote and
                                            found_.entries.last() == last and log->last() == last),
                         "numbers of any size are kept",
                         "A term and an id of more than 32, 53 or 62 bits were saved, and others recovered.");
        }
    }

    /// Longer than what a log may hold in one page, table or file; read, cut and read again, from every place.
    void a_long_log_is_kept()
    {
        constexpr auto law = "a long log is kept";
        auto*          log = user_.start();
        auto const     expect = [&](std::uint64_t last, std::uint64_t later) {
            constexpr auto each = entry_header_size + std::size_t{10};
            for (auto from = std::uint64_t{1}; from <= last; from += 251) {
                auto const read = log->read(Index{from}, Index{last}, each * 300);
                auto const whole = read ? whole_entries(*read) : std::vector<EntryView>{};
                auto const count = std::min<std::uint64_t>(300, last - from + 1);
                auto       sound = whole.size() == count;
                for (auto const& [entry, index] : ranges::views::zip(whole, ranges::views::iota(from)))
                    sound = sound and entry.index.value == index and is_intact(entry) and
                            entry.term == (index < later ? Term{1} : Term{2});
                user_.expect(sound and log->bytes(Index{from}, Index{last}) == (last - from + 1) * each, law,
                                 "Of " + std::to_string(last) + " entries those from " + std::to_string(from) +
                                     " on are not read as they were written.");
            }
        };
        if (log == nullptr)
            return;
        for (auto times = 0; times < 15; ++times) {
            user_.append(*log, entries_of(Term{1}, next(log->last().index), 100));
            user_.sync(*log);
            user_.settle(*log);
        }
        expect(1500, 1501);
        log = user_.restart(*log, found_);
        if (log == nullptr)
            return;
        expect(1500, 1501);
        user_.truncate(*log, Index{1017});
        user_.append(*log, entries_of(Term{2}, Index{1017}, 300));
        expect(1316, 1017);
        log = user_.restart(*log, found_);
        if (log != nullptr)
            expect(1316, 1017);
    }

    /// Of any kind and size, with every byte of their headers.
    void entries_come_back_byte_for_byte()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        auto all = Entries{};
        auto index = Index{};
        for (auto const kind : {EntryKind::no_op, EntryKind::command})
            for (auto const size : {std::size_t{0}, std::size_t{1}, std::size_t{3000}, std::size_t{70'000}}) {
                index = next(index);
                auto       block = std::make_shared<std::vector<std::byte>>(entry_header_size + size, std::byte{17});
                auto const encoded = std::span<std::byte const>{*block};
                seal_entry(*block, index, Term{3}, kind, 1234567 + index.value);
                all.add({std::move(block), encoded}, 1);
            }
        user_.append(*log, all);
        auto const expect = [&](std::string const& when) {
            auto const read = log->read(Index{1}, index, 1U << 30U);
            user_.expect(read and bytes_of(*read) == bytes_of(all), "entries come back byte for byte",
                         "Entries of any kind, size and time were appended, and others are read " + when + ".");
        };
        expect("at once");
        user_.vote(*log, Term{3});
        user_.sync(*log);
        user_.settle(*log);
        expect("when they are durable");
        log = user_.restart(*log, found_);
        if (log != nullptr)
            expect("after a start");
    }

private:
    [[nodiscard]] static std::vector<std::byte> bytes_of(Entries const& entries)
    {
        auto bytes = std::vector<std::byte>{};
        for (auto const& entry : whole_entries(entries))
            bytes.insert(bytes.end(), entry.encoded.begin(), entry.encoded.end());
        return bytes;
    }

    LogUser<Storage>& user_;
    Recovered         found_; ///< At the last start.
};

} // namespace totora::inline v0::conformance
