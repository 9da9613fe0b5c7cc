-- AWS JSON calls, in the form in which an SDK sends them:
--   wrk --script api.lua URL -- OPERATION BODY RUN
-- "{n}" in BODY becomes RUN and another number in every call. The last line of the output:
--   RESULT <calls answered> <calls a second> <p99, milliseconds> <calls that failed>

local body, run
local sent = 0

function init(args)
   body, run = args[2], args[3]
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
   wrk.headers["X-Amz-Target"] = "CodeCommit_20150413." .. args[1]
   wrk.headers["X-Amz-Date"] = os.date("!%Y%m%dT%H%M%SZ")
   -- The access key of AWS's documentation.
   wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/" .. os.date("!%Y%m%d")
      .. "/us-east-1/codecommit/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature="
      .. string.rep("0123456789abcdef", 4)
end

function request()
   sent = sent + 1
   return wrk.format(nil, nil, nil, (body:gsub("{n}", run .. "-" .. sent)))
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format("RESULT %d %.0f %.2f %d",
      summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000,
      errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
