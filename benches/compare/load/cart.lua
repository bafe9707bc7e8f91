-- Every request is a new cart: the text around its ids is cut once, and ids are set in between.
--
-- COMPARE_REQUEST names a file with a whole request in which {{GUID}}, {{NUMBER}} and {{ITEM1}} … {{ITEM5}} stand for the ids of a
-- cart. COMPARE_SEED is the time in microseconds, COMPARE_NUMBER the number of the first cart.
--
-- GUIDs are spread as an SAP system's: the address of its host, then one of 16 digits that change from cart to cart, then a time that
-- rises. So an index gets 16 rows of ids, each of which rises.
local HOST, SPREADS, ITEMS = "005056A207C81E", 16, 5
local seed, number = tonumber(os.getenv("COMPARE_SEED")), tonumber(os.getenv("COMPARE_NUMBER"))
-- A microsecond of the seed's clock is ten of the load's: no run overtakes the clock, and so the next run's seed.
local STEP = 10
local pieces, slots, owners = {}, {}, {}
local sent = 0

function init()
  local file = assert(io.open(os.getenv("COMPARE_REQUEST"), "rb"))
  local text = file:read("*a")
  file:close()
  local from = 1
  for start, name, rest in text:gmatch("(){{(%w+)}}()") do
    pieces[#pieces + 1] = text:sub(from, start - 1)
    pieces[#pieces + 1] = name
    slots[#slots + 1] = { at = #pieces, name = name }
    from = rest
  end
  pieces[#pieces + 1] = text:sub(from)
  for digit = 0, SPREADS - 1 do
    owners[digit] = { GUID = HOST .. "D" .. string.format("%X", digit) }
    for item = 1, ITEMS do
      owners[digit]["ITEM" .. item] = HOST .. "E" .. string.format("%X", (digit + item) % SPREADS)
    end
  end
end

function request()
  sent = sent + 1
  local time = seed + sent * STEP
  local tail = string.format("%08X%05X550", math.floor(time / 1048576) % 4294967296, time % 1048576)
  local heads = owners[sent % SPREADS]
  for at = 1, #slots do
    local slot = slots[at]
    local head = heads[slot.name]
    pieces[slot.at] = head and head .. tail or string.format("%010d", number + sent)
  end
  return table.concat(pieces)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d,"mean_us":%.1f}\n',
    summary.requests, summary.duration / 1e6, errors.status, failed, latency:percentile(50), latency:percentile(99),
    latency:percentile(99.9), latency.max, latency.mean))
end
