// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/**
 * A finding that somebody was told of.
 *
 * @param sinceMillis when it was raised, in milliseconds since 1970
 * @param clearedMillis when it was over; 0 while it is not
 */
public record Alert(Finding finding, long sinceMillis, long clearedMillis) {
  /** The alert as the API and webhooks show it. */
  public JsonObject toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("rule", Json.of(finding.rule()));
    members.put("severity", Json.of(finding.critical() ? "critical" : "warning"));
    if (!finding.tenant().isEmpty()) {
      members.put("tenant", Json.of(finding.tenant()));
    }
    if (!finding.subject().isEmpty()) {
      members.put("subject", Json.of(finding.subject()));
    }
    members.put("summary", Json.of(finding.summary()));
    members.put("action", Json.of(finding.action()));
    members.put("since", Json.of(Instant.ofEpochMilli(sinceMillis).toString()));
    if (clearedMillis > 0) {
      members.put("cleared", Json.of(Instant.ofEpochMilli(clearedMillis).toString()));
    }
    return JsonObject.of(members);
  }
}
