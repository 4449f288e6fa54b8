// The sync protocol of sync_merge.h as JSON text, for the wire and for a device's own storage.
//   fields  {"amount":"100","note":["mum","mother"]}: a list is an open conflict
//   push    {"device","since","items":[{"id","client_revision","base":fields,"mine":fields}]}
//   answer  {"revision","items":[{"id","revision","seen":[{"device","client_revision"}],
//           "fields":fields}],"refused":[{"id","client_revision","reason"}]}
//   list    {"device","client_revision","revision","items":[{"id","revision","client_revision",
//           "mine":fields,"base":fields,"pending":fields}]}: without base it is mine, without
//           pending nothing is under way
// Readers remember what is wrong in `in` (border.h): the errors of json_read.h,
// sync_item_invalid. Writers write one value each. Pure; thread-safe.
#pragma once

#include "shared/border.h"
#include "shared/sync_merge.h"

namespace topup {

// Absent is no field at all. Any order is read; what is written ascends.
Fields read_fields(BorderFields& in, JsonValue object, const char* key);
void put_fields(JsonText& out, const Fields& fields);

// A device's side.
DeviceList read_device_list(BorderFields& in, JsonValue object);
void put_device_list(JsonText& out, const DeviceList& list);
void put_push(JsonText& out, const DeviceList& list);  // of what is pending
std::vector<Conflict> take_answer(BorderFields& in, DeviceList& list, JsonValue answer);

// The server's side.
Push read_push(BorderFields& in, JsonValue object);
void put_answer(JsonText& out, const Answer& answer);

}  // namespace topup
