// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/event_loop.hpp"
#include "support/failing_allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace totora::process::event_loop_tests
{
namespace
{

/// While it lives, this thread gets no memory.
struct NoMemory
{
    NoMemory() { totora::test::allocations() = {.watched = true, .fails_at = 0, .lasts = true}; }
    NoMemory(NoMemory const&) = delete;
    NoMemory& operator=(NoMemory const&) = delete;
    ~NoMemory() { totora::test::allocations() = {}; }
};

/// What an `EventLoop` asks of a node.
struct CountingNode
{
    struct Clock
    {
        [[nodiscard]] static std::uint64_t now_ms() { return 0; }
    };

    void set_wake(std::function<void()> called) { wake = std::move(called); }
    template <typename Task>
    void run(Task&& task)
    {
        task(*this);
    }
    bool turn()
    {
        ++turns;
        return std::exchange(has_more, false);
    }
    [[nodiscard]] static std::optional<std::uint64_t> next_turn_ms() { return std::nullopt; }
    [[nodiscard]] Clock&                              clock() { return clock_; }

    std::function<void()> wake;
    int                   turns = 0;
    bool                  has_more = false;
    Clock                 clock_;
};

struct Fixture
{
    boost::asio::io_context     context{1};
    CountingNode                node;
    int                         turns_seen = 0;
    kv::EventLoop<CountingNode> loop{context, node, [this] { ++turns_seen; }};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(event_loop, Fixture)

BOOST_AUTO_TEST_CASE(wake_ups_before_a_turn_share_it)
{
    for (auto wakes = 0; wakes < 3; ++wakes)
        loop.wake();
    context.poll();

    BOOST_TEST(node.turns == 1);
    BOOST_TEST(turns_seen == 1);
}

BOOST_AUTO_TEST_CASE(a_node_that_has_more_to_do_gets_another_turn)
{
    node.has_more = true;
    loop.wake();
    context.poll();

    BOOST_TEST(node.turns == 2);
}

BOOST_AUTO_TEST_CASE(a_node_is_woken_also_when_no_memory_is_left)
{
    for (auto turns = 1; turns < 4; ++turns) {
        {
            auto const nothing = NoMemory{};
            node.wake();
        }
        context.restart();
        context.poll();
        BOOST_TEST(node.turns == turns);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::event_loop_tests
