// A wake-up that outlives its owner in other hands, and calls from the wrong thread.
#include "support/stage.hpp"
#include "totora/node/driver.hpp"
#include "totora/node/parts/thread_check.hpp"
#include "totora/node/wake_up.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace totora::test::threads_tests
{
namespace
{

BOOST_AUTO_TEST_CASE(a_wake_up_is_called_as_long_as_it_lasts)
{
    auto woken = 0;
    auto handle = std::function<void()>{};
    {
        auto const wake = WakeUp{[&] { ++woken; }};
        handle = wake.handle();
        handle();
        wake.handle()();
        BOOST_TEST(woken == 2);
    }
    handle();
    BOOST_TEST(woken == 2);
}

BOOST_AUTO_TEST_CASE(no_call_is_being_made_when_a_wake_up_has_ended)
{
    for (auto round = 0; round < 50; ++round) {
        auto stop = std::atomic<bool>{false};
        auto callers = std::vector<std::thread>{};
        auto ended = std::atomic<bool>{false};
        auto after = std::atomic<int>{0};
        auto wake = std::optional<WakeUp>{std::in_place, [&] { after += ended ? 1 : 0; }};
        for (auto caller = 0; caller < 2; ++caller)
            callers.emplace_back([&stop, call = wake->handle()] {
                while (not stop)
                    call();
            });
        wake.reset();
        ended = true;
        stop = true;
        for (auto& caller : callers)
            caller.join();
        BOOST_TEST(after == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_driver_wakes_by_the_handle_of_a_wake_up)
{
    auto stage = Stage{1};
    auto woken = 0;
    auto wake = std::optional<WakeUp>{std::in_place, [&] { ++woken; }};
    auto driver = Driver<Stage::Node>{*stage.node, wake->handle()};
    driver.post([](auto&) {});
    BOOST_TEST(woken == 1);
    wake.reset();
    static_cast<void>(driver.poll());
    driver.post([](auto&) {});
    BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_CASE(a_thread_check_knows_the_thread_that_was_bound)
{
    auto       check = ThreadCheck{};
    auto const is_here_elsewhere = [&] {
        auto is_here = false;
        std::thread{[&] { is_here = check.is_here(); }}.join();
        return is_here;
    };
    BOOST_TEST(check.is_here());
    BOOST_TEST(is_here_elsewhere()); // Nobody runs it yet.
#if not defined(NDEBUG)
    check.bind();
    BOOST_TEST(check.is_here());
    BOOST_TEST(not is_here_elsewhere());
    check.release();
    BOOST_TEST(is_here_elsewhere());
#endif
}

#if not defined(NDEBUG)
/// What ended a process of its own that ran `act`: a signal, or 0.
template <typename Act>
[[nodiscard]] int signal_of(Act act)
{
    auto const child = fork();
    if (child == 0) {
        auto const no_core = rlimit{0, 0};
        static_cast<void>(setrlimit(RLIMIT_CORE, &no_core));
        static_cast<void>(close(STDERR_FILENO));
        static_cast<void>(std::signal(SIGABRT, SIG_DFL));
        act();
        _exit(0);
    }
    auto status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

BOOST_AUTO_TEST_CASE(a_call_from_another_thread_than_the_one_that_turns_the_node_is_an_assertion)
{
    auto       stage = Stage{1};
    auto const elsewhere = [&](auto call) { return signal_of([&] { std::thread{call}.join(); }); };
    stage.run();

    BOOST_TEST(elsewhere([&] { stage.node->turn(); }) == SIGABRT);
    BOOST_TEST(elsewhere([&] { static_cast<void>(stage.propose("a")); }) == SIGABRT);
    BOOST_TEST(elsewhere([&] { static_cast<void>(stage.read()); }) == SIGABRT);
    BOOST_TEST(elsewhere([&] { static_cast<void>(stage.status()); }) == SIGABRT);
    BOOST_TEST(elsewhere([&] { stage.node->run([](auto&) {}); }) == SIGABRT);
    BOOST_TEST(elsewhere([&] { stage.node->stop(); }) == SIGABRT);
    BOOST_TEST(signal_of([&] { stage.run(); }) == 0);

    stage.node->change_thread();
    BOOST_TEST(elsewhere([&] { stage.run(); }) == 0);
}
#endif

BOOST_AUTO_TEST_CASE(the_address_of_the_leader_is_found_by_its_id)
{
    auto stage = Stage{3};
    BOOST_TEST(stage.node->address_of(S2).value() == "host:2");
    BOOST_TEST(not stage.node->address_of(ServerId{9}).has_value());
}

} // namespace
} // namespace totora::test::threads_tests
