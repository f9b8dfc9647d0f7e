// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import dev.entente.server.Problem.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** An answer says all that a client needs to go on. */
class HalfAnswersTest {
  @Test
  void whatMayBeTriedAgainSaysWhen() {
    Set<Code> later = Set.of(Code.UNAVAILABLE, Code.FROZEN, Code.TOO_FAST);
    for (Code code : Code.values()) {
      assertThat(Reply.problem(new Problem(code, "x")).headers().containsKey("Retry-After"))
          .as(code.label())
          .isEqualTo(later.contains(code));
    }
  }

  @Test
  void aFrozenRecordSaysWhenToTryAgain() {
    try (Served served = new Served()) {
      served.json("POST", "/v1/main/freezes", "{\"type\":\"doc\",\"reason\":\"x\"}");
      Served.Answer answer = served.json("PUT", "/v1/main/records/doc/1", "{}");
      assertThat(answer.status()).isEqualTo(423);
      assertThat(answer.response().headers().firstValue("retry-after")).isPresent();
    }
  }

  @Test
  void aNodeThatIsStartingIsNotReady() throws IOException {
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT)) {
      Api api = new Api(node, ServerConfig.of(0, "t"));
      Call ready = new Call("GET", Map.of(), Map.of(), Map.of(), new byte[0], Call.Peer.UNKNOWN);
      assertThat(api.answer(List.of("health", "ready"), ready).status()).isEqualTo(503);
      api.open();
      assertThat(api.answer(List.of("health", "ready"), ready).status()).isEqualTo(200);
    }
  }

  @Test
  void deletedReadsAlikeWhicheverWayItCameToBeDeleted() {
    try (Served served = new Served()) {
      String policy =
          """
          type: gone
          default: last-writer-wins
          deletes: delete-wins
          """;
      byte[] text = policy.getBytes(StandardCharsets.UTF_8);
      Map<String, String> yaml = Map.of("Content-Type", "application/yaml");
      assertThat(served.send("PUT", "/v1/main/policies/gone", text, yaml).status()).isEqualTo(200);
      String late = "/v1/main/records/gone/r";
      String context = served.json("PUT", late, "{\"v\":1}").text("context");
      served.json("DELETE", late, "", "Entente-Context", context);
      served.json("PUT", late, "{\"v\":2}", "Entente-Context", context);
      served.json("PUT", late, "{\"v\":3}", "Entente-Context", context);
      Served.Answer byRule = served.get(late);
      assertThat(byRule.status()).isEqualTo(404);
      served.json("DELETE", late, "");
      Served.Answer plainly = served.get(late);
      assertThat(plainly.status()).isEqualTo(404);
      assertThat(plainly.body()).isEqualTo(byRule.body());
      assertThat(served.get(late + "/history").status()).isEqualTo(200);
    }
  }
}
