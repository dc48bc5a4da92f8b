// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/transport.hpp"

#include "totora/policy/adapter.hpp"
#include "totora/policy/transport.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::conformance_chunk_transport_tests
{

using namespace totora::conformance;

namespace
{

/// What can be wrong with the chunks of a transport.
enum class Fault
{
    none,
    alters_chunks,
    cuts_chunks,
    loses_chunks,
    loses_questions,
    loses_large_chunks,
    claims_to_carry_less,
    forgets_the_offset,
    reuses_memory,
    keeps_bytes_without_a_pin,
    invents_senders,
    sends_chunks_to_other_incarnations,
    throws_at_whom_it_does_not_know,
    waits,
    stays_full,
    accepts_other_clusters,
};

/// Passes only while a call waits that should not.
auto waited = std::chrono::milliseconds{0};

CallLimit by_what_was_waited()
{
    auto limit = CallLimit{};
    limit.now = [] { return waited; };
    return limit;
}

/// The end of a loopback network, with one fault in what it does with chunks.
class Faulty
{
public:
    Faulty(Fault fault, LoopbackNetwork& network, ServerId id)
        : fault_(fault), end_(network.join(id, first_incarnation))
    {}

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        incarnation_[server] = incarnation;
        end_.update(server, incarnation, address);
    }

    void send(Released const& message, Entries const& entries)
    {
        if (fault_ != Fault::loses_questions or not std::holds_alternative<InstallSnapshot>(message.rpc()))
            end_.send(message, entries);
    }

    void send_chunk(Released const& message, PinnedBytes const& chunk)
    {
        if (fault_ == Fault::loses_chunks or (chunk.bytes.size() > 100'000 and (fault_ == Fault::loses_large_chunks or
                                                                                fault_ == Fault::claims_to_carry_less)))
            return;
        if (fault_ == Fault::throws_at_whom_it_does_not_know and not incarnation_.contains(message.to()))
            throw std::runtime_error("nobody is there");
        if (fault_ == Fault::waits)
            waited += std::chrono::milliseconds{100};
        if (fault_ == Fault::stays_full and ++sent_ == 300)
            full_ = message.to();
        auto const meant = incarnation_.find(message.to());
        if (fault_ == Fault::sends_chunks_to_other_incarnations and meant != incarnation_.end())
            end_.update(message.to(), first_incarnation, {});
        end_.send_chunk(message,
                        fault_ == Fault::keeps_bytes_without_a_pin ? PinnedBytes{nullptr, chunk.bytes} : chunk);
        if (meant != incarnation_.end())
            end_.update(message.to(), meant->second, {});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (full_)
            return LinkChanged{*std::exchange(full_, std::nullopt), Link::full};
        auto        event = end_.receive();
        auto* const received = event ? std::get_if<Received>(&*event) : nullptr;
        if (received == nullptr or received->chunk.bytes.empty())
            return event;
        auto& chunk = received->chunk;
        if (fault_ == Fault::cuts_chunks)
            chunk.bytes = chunk.bytes.first(chunk.bytes.size() - 1);
        if (fault_ == Fault::invents_senders)
            received->from = ServerId{received->from.value % 3 + 1};
        if (fault_ == Fault::forgets_the_offset)
            std::get<InstallSnapshot>(received->rpc).offset = 0;
        if (fault_ == Fault::alters_chunks or fault_ == Fault::reuses_memory) {
            auto const own =
                fault_ == Fault::reuses_memory ? memory_ : std::make_shared<std::vector<std::byte>>(chunk.bytes.size());
            own->resize(std::max(own->size(), chunk.bytes.size()));
            std::copy(chunk.bytes.begin(), chunk.bytes.end(), own->begin());
            if (fault_ == Fault::alters_chunks)
                own->back() ^= std::byte{1};
            chunk = {own, std::span<std::byte const>{*own}.first(chunk.bytes.size())};
        }
        return event;
    }

    [[nodiscard]] std::uint64_t entry_bytes_max() const
    {
        return fault_ == Fault::claims_to_carry_less ? 90'000 : number_max;
    }

    void settle() {}

private:
    Fault                                   fault_;
    Loopback                                end_;
    std::map<ServerId, Incarnation>         incarnation_;
    std::optional<ServerId>                 full_;
    int                                     sent_ = 0;
    std::shared_ptr<std::vector<std::byte>> memory_ = std::make_shared<std::vector<std::byte>>(std::size_t{1} << 20U);
};

static_assert(chunk_transport<Faulty>);

/// Three servers on a loopback network.
struct Loop
{
    explicit Loop(Fault fault) : fault_(fault) {}

    Faulty&     at(ServerId server) { return ends.at(server.value - 1); }
    Incarnation incarnation_of(ServerId) { return first_incarnation; }
    std::string address_of(ServerId) { return "nowhere"; }
    void        settle() {}
    Loopback&   of_another_cluster()
    {
        if (not other)
            other.emplace((fault_ == Fault::accepts_other_clusters ? network : other_network)
                              .join(ServerId{2}, first_incarnation));
        return *other;
    }

    Fault                   fault_;
    LoopbackNetwork         network;
    LoopbackNetwork         other_network;
    std::optional<Loopback> other;
    std::array<Faulty, 3>   ends{Faulty{fault_, network, ServerId{1}}, Faulty{fault_, network, ServerId{2}},
                               Faulty{fault_, network, ServerId{3}}};
};

/// The same behind adapters that name nothing of chunks.
struct WrappedLoop
{
    explicit WrappedLoop(Fault fault) : inner(std::make_unique<Loop>(fault)) {}

    TransportAdapter<Faulty>& at(ServerId server) { return ends.at(server.value - 1); }
    Incarnation               incarnation_of(ServerId) { return first_incarnation; }
    std::string               address_of(ServerId) { return "nowhere"; }
    void                      settle() {}

    std::unique_ptr<Loop>                   inner;
    std::array<TransportAdapter<Faulty>, 3> ends{TransportAdapter<Faulty>{inner->ends[0]},
                                                 TransportAdapter<Faulty>{inner->ends[1]},
                                                 TransportAdapter<Faulty>{inner->ends[2]}};
};

/// The laws by which a transport with this fault is caught.
template <typename Network = Loop>
std::string caught_by(Fault fault)
{
    waited = {};
    auto laws = std::string{};
    for (auto const& one : check_transport([fault] { return Network{fault}; }, by_what_was_waited())) {
        BOOST_TEST(one.reproduction.size() > 1U);
        laws += one.law + ". ";
    }
    return laws;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_chunk_transport)

BOOST_AUTO_TEST_CASE(a_sound_transport_with_chunks_keeps_all_laws)
{
    BOOST_TEST(caught_by(Fault::none) == "");
    BOOST_TEST(caught_by<WrappedLoop>(Fault::none) == "");
}

BOOST_AUTO_TEST_CASE(a_transport_whose_chunks_are_others_is_caught)
{
    BOOST_TEST(caught_by(Fault::alters_chunks) == "chunks arrive as they were sent. ");
    BOOST_TEST(caught_by(Fault::cuts_chunks) == "chunks arrive as they were sent. ");
    BOOST_TEST(caught_by(Fault::keeps_bytes_without_a_pin) == "chunks arrive as they were sent. ");
    BOOST_TEST(caught_by<WrappedLoop>(Fault::cuts_chunks) == "chunks arrive as they were sent. ");
    BOOST_TEST(caught_by(Fault::reuses_memory) == "received chunks do not change. ");
    BOOST_TEST(caught_by(Fault::invents_senders).starts_with("no sender is invented. "));
    BOOST_TEST(caught_by(Fault::forgets_the_offset).starts_with("what arrives was sent. "));
}

BOOST_AUTO_TEST_CASE(a_transport_that_carries_no_chunks_is_caught)
{
    BOOST_TEST(caught_by(Fault::loses_chunks) ==
               "not everything is lost. the largest chunk arrives. an update replaces the one before. ");
    BOOST_TEST(caught_by(Fault::loses_questions) == "not everything is lost. ");
    BOOST_TEST(caught_by(Fault::loses_large_chunks) == "the largest chunk arrives. ");
    BOOST_TEST(caught_by(Fault::claims_to_carry_less) == "");
}

BOOST_AUTO_TEST_CASE(a_transport_that_sends_chunks_elsewhere_is_caught)
{
    BOOST_TEST(caught_by(Fault::sends_chunks_to_other_incarnations) ==
               "what is meant for another incarnation does not arrive. ");
    BOOST_TEST(caught_by(Fault::accepts_other_clusters).starts_with("nothing of another cluster arrives. "));
}

BOOST_AUTO_TEST_CASE(a_transport_whose_calls_with_chunks_do_not_return_is_caught)
{
    BOOST_TEST(caught_by(Fault::throws_at_whom_it_does_not_know).starts_with("no call throws. "));
    BOOST_TEST(caught_by(Fault::waits) == "no call waits. ");
    BOOST_TEST(caught_by(Fault::stays_full) == "a full link opens again. ");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_chunk_transport_tests
