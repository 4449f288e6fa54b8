# The core's sources, listed once for the native and the WebAssembly build.
set(TOPUP_CORE_SOURCES
  shared/json_text.cpp
  shared/money.cpp
  shared/order_state.cpp
  shared/phone.cpp
  shared/price_book.cpp
  shared/pricing.cpp
  shared/time_point.cpp)
