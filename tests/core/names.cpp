// A program with `using namespace totora` keeps its words: the verbs of the core are in totora::core.
#include "totora/core/step.hpp"

#include <boost/test/unit_test.hpp>

using namespace totora; // NOLINT(google-build-using-namespace): what this file is about.

namespace
{

// Each name would be ambiguous below if the library had it too.
struct advance
{};
struct any_of
{};
struct append
{};
struct arm
{};
struct clear
{};
struct note
{};
struct receive
{};
struct recover
{};
struct send
{};
struct step
{};
struct truncate
{};

static_assert(sizeof(advance) + sizeof(any_of) + sizeof(append) + sizeof(arm) + sizeof(clear) + sizeof(note) > 0);
static_assert(sizeof(receive) + sizeof(recover) + sizeof(send) + sizeof(step) + sizeof(truncate) > 0);

} // namespace

BOOST_AUTO_TEST_CASE(a_program_that_uses_the_whole_namespace_keeps_its_verbs)
{
    auto const started = core::step(State{}, {.from = nobody, .body = Started{}});
    BOOST_TEST(not started.outgoing.failed.has_value());
}
