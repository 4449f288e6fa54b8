// The tables of shared/order_state.h, shared/order_actions.h and shared/refund_flow.h as a person
// reads them. Printed by `topup states`; kept beside the code as shared/order_state.md. Pure.
#pragma once

#include <string>

namespace topup::orders {

std::string order_drawing();   // Mermaid: a stateDiagram-v2 of the order
std::string refund_drawing();  // and of one refund
std::string order_page();      // Markdown: both drawings and every table

}  // namespace topup::orders
