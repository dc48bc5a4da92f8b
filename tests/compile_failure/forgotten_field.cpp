// A message whose list leaves a field out would be sent, packed, hashed and printed without it.
// prints: lists_its_fields<Handover>()
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

struct Handover
{
    totora::Term        term;
    totora::LogPosition last_log;
    bool                urgent = false;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("last_log", self.last_log);
#ifndef TOTORA_EXPECT_FAILURE
        visit("urgent", self.urgent);
#endif
    }
};

static_assert(totora::lists_its_fields<Handover>());
