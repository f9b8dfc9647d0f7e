// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.engine.Node;
import dev.entente.engine.json.JsonBatch;
import dev.entente.server.Problem.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * Records in the audit log the parts of a request that were refused before they became writes, each
 * with what was sent, up to a bound. Not thread-safe.
 */
final class RefusedParts {
  private static final int PAYLOAD_CHARACTERS_MAX = 4_000;

  private final Node node;
  private final Call call;
  private final String what;
  private final List<CompletableFuture<Boolean>> recorded = new ArrayList<>();

  /** Of a request to this operation. */
  RefusedParts(Node node, Call call, String what) {
    this.node = node;
    this.call = call;
    this.what = what;
  }

  /** Records a part; what was only too early is sent again and not recorded. */
  void add(int position, JsonBatch.Element part, Problem problem) {
    if (problem.code() == Code.TOO_FAST || problem.code() == Code.UNAVAILABLE) {
      return;
    }
    Map<String, Json> detail = new TreeMap<>();
    detail.put("code", Json.of(problem.code().label()));
    detail.put("reason", Json.of(String.valueOf(problem.getMessage())));
    detail.put("position", Json.of(position));
    part.text("id").ifPresent(id -> detail.put("id", Json.of(id)));
    detail.put("bytes", Json.of(part.bytes()));
    detail.put("sent", Json.of(part.abbreviated(PAYLOAD_CHARACTERS_MAX)));
    recorded.add(
        node.refused(
            call.tenant(), call.caller().name(), call.tenant() + "/" + what, Json.of(detail)));
  }

  /** Waits until all of it is durable. */
  void await() {
    recorded.forEach(entry -> Writes.await(() -> entry));
  }
}
