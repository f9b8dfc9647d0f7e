// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.server.watch.MailSender;
import dev.entente.server.watch.Thresholds;
import dev.entente.server.watch.Watching;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong is shown, noted, counted and told. */
class WatchRoutesTest {
  @TempDir Path folder;

  private Served strict() {
    Thresholds thresholds = new Thresholds(3, 5, 0.9, 0.05, 0, 2, 1_000, 100, 1.1, 60_000);
    return new Served(config ->
        config.watched(new Watching(thresholds, Optional.of(folder), Optional.empty(), true)));
  }

  private static void clash(Served served, String id) {
    String path = "/v1/main/records/note/" + id;
    served.json("PUT", path, "{\"v\":0}");
    String context = served.get(path).text("context");
    for (int i = 1; i < 3; i++) {
      served.json("PUT", path, "{\"v\":" + i + "}", "Entente-Context", context);
    }
  }

  @Test
  void conflictsBeyondTheUsualAlertTheirTenantAndPendingReviewsDo() throws Exception {
    try (Served served = strict()) {
      for (int i = 0; i < 30; i++) {
        clash(served, "r" + i);
      }
      for (String rule :
          List.of("conflict-rate", "pending-reviews", "manual-rate", "success-rate", "disk-full")) {
        Served.eventually(() -> served.get("/v1/main/alerts").body().contains("\"" + rule + "\""));
      }
      String alerts = served.get("/v1/main/alerts").body();
      assertThat(alerts).contains("entente hotspots").contains("30 conflicts wait for a person");
      assertThat(served.get("/v1/other/alerts").body())
          .doesNotContain("conflict-rate")
          .contains("disk-full");
      assertThat(served.get("/v1/cluster/alerts").body()).contains("conflict-rate");
      assertThat(served.get("/metrics").body())
          .contains("entente_alerts{rule=\"conflict-rate\",severity=\"warning\"} 1")
          .contains("entente_reviews_pending{tenant=\"main\"} 30");
      assertThat(served.get("/v1/cluster/audit").body()).contains("\"alert\"");
      assertThat(served.get("/v1/main/reviews").body()).contains("\"total\":30");
    }
  }

  @Test
  void aMachineOnTwoHostsHasItsAlertAndHealthSaysSo() throws Exception {
    Path pack = Path.of(System.getProperty("entente.root", "..")).resolve("policies/vm/vm.yaml");
    String policy = Files.readString(pack).replace("type: vm", "type: box");
    try (Served served = strict()) {
      assertThat(
              served
                  .json("PUT", "/v1/main/policies/box", policy, "Content-Type", "application/yaml")
                  .status())
          .isLessThan(300);
      String path = "/v1/main/records/box/m1";
      served.json("PUT", path, "{\"power_state\":\"stopped\"}");
      String context = served.get(path).text("context");
      for (String host : List.of("h1", "h2")) {
        String body = "{\"power_state\":\"running\",\"host\":\"" + host + "\"}";
        served.json("PUT", path, body, "Entente-Context", context);
      }
      Served.eventually(
          () -> served.get("/health/ready").body().contains("\"split-brain-machine\""));
      assertThat(served.get("/health/ready").status()).isEqualTo(200);
      assertThat(served.get("/v1/main/alerts").body()).contains("critical-conflict");
      assertThat(served.get("/metrics").body())
          .contains(
              "entente_reviews_open{alert=\"split-brain-machine\",conflict=\"concurrent-update\","
                  + "severity=\"critical\",tenant=\"main\",type=\"box\"} 1");
    }
  }

  private static List<Json> rows(Served served, String by) {
    JsonObject all = (JsonObject) served.get("/v1/main/figures").json().get("by");
    return ((JsonArray) all.get(by)).items();
  }

  private static List<Double> minutes(Json row, String what) {
    JsonObject perMinute = (JsonObject) ((JsonObject) row).get("perMinute");
    return ((JsonArray) perMinute.get(what))
        .items().stream().map(count -> Double.valueOf(count.toString())).toList();
  }

  @Test
  void theFiguresSayHowATenantFares() throws Exception {
    try (Served served = strict()) {
      for (int i = 0; i < 8; i++) {
        clash(served, "r" + i);
      }
      Served.Answer decided =
          served.json(
              "POST",
              "/v1/main/reviews/decisions",
              "{\"filter\":{\"recordId\":\"r1\"},\"choose\":1}");
      assertThat(decided.body()).contains("\"skipped\":[]");
      Served.eventually(() -> served.get("/v1/main/figures").body().contains("\"score\":"));
      String figures = served.get("/v1/main/figures").body();
      assertThat(figures)
          .contains("\"conflicts\":8")
          .contains("\"pending\":7")
          .contains("\"manualRate\":1")
          .contains("\"successRate\":0")
          .contains("\"closed\":1")
          .contains("\"slaCompliance\":1")
          .contains("\"dataLossEvents\":0")
          .contains("\"writes\":24");
      for (String by : List.of("type", "unit", "strategy", "node", "pattern")) {
        assertThat(rows(served, by))
            .as("the minutes, by " + by)
            .singleElement()
            .satisfies(row -> {
              int writes = by.equals("type") ? 24 : 8;
              assertThat(minutes(row, "conflicts")).hasSize(60);
              assertThat(minutes(row, "conflicts").stream().mapToDouble(d -> d).sum()).isEqualTo(8);
              assertThat(minutes(row, "writes").stream().mapToDouble(d -> d).sum())
                  .isEqualTo(writes);
              assertThat(minutes(row, "p99Millis")).hasSize(60).anyMatch(millis -> millis > 0);
            });
      }
      Served.eventually(() -> !served.get("/v1/main/figures").body().contains("\"score\":100"));
      assertThat(served.get("/v1/other/figures").body()).contains("\"conflicts\":0");
    }
  }

  @Test
  void oneTenantSeesNothingOfAnothersAlerts() throws Exception {
    try (Served served = strict()) {
      for (int i = 0; i < 10; i++) {
        clash(served, "r" + i);
      }
      Served.eventually(() -> served.get("/v1/main/alerts").body().contains("conflict-rate"));
      served.json("PUT", "/v1/cluster/accounts/eve", "{\"grants\":[\"reader@other\"]}");
      String token = served.json("POST", "/v1/cluster/accounts/eve/tokens", "{}").text("token");
      Map<String, String> as = Map.of("Authorization", "Bearer " + token);
      assertThat(served.send("GET", "/v1/other/alerts", new byte[0], as).body())
          .contains("\"alerts\":[]");
      assertThat(served.send("GET", "/v1/main/alerts", new byte[0], as).status()).isEqualTo(403);
    }
  }

  @Test
  void aBrokenAuditChainIsAnAlert() throws Exception {
    dev.entente.engine.store.MemoryStore store = new dev.entente.engine.store.MemoryStore();
    dev.entente.engine.Node node =
        dev.entente.engine.Node.open(store, dev.entente.engine.NodeConfig.DEFAULT.withName("n"));
    try (Served served = new Served(node, Optional.empty())) {
      served.json("PUT", "/v1/main/records/note/1", "{}");
      dev.entente.engine.store.Batch flip = new dev.entente.engine.store.Batch();
      byte[] key = dev.entente.engine.codec.Keys.of(1L);
      byte[] entry = store.get(dev.entente.engine.store.Table.AUDIT, key);
      assertThat(entry).isNotNull();
      entry = entry.clone();
      entry[entry.length / 2] ^= 1;
      flip.put(dev.entente.engine.store.Table.AUDIT, key, entry);
      store.commit(flip);
      assertThat(served.json("POST", "/v1/verify", "{}").body()).contains("\"intact\":false");
      Served.eventually(() -> served.get("/v1/main/alerts").body().contains("audit-chain-broken"));
    }
  }

  @Test
  void webhooksAreMadeTriedAndEnded() throws Exception {
    try (Served served = strict()) {
      String path = "/v1/cluster/webhooks/ops";
      Served.Answer made =
          served.json("PUT", path, "{\"url\":\"http://127.0.0.1:" + served.port() + "/nowhere\"}");
      assertThat(made.status()).as(made.body()).isEqualTo(200);
      assertThat(made.text("secret")).startsWith("whsec_");
      assertThat(served.json("POST", path + "/test", "{}").status()).isEqualTo(202);
      Served.eventually(() -> served.get(path).body().contains("\"problem\":\"answered 40"));
      assertThat(served.get(path).body()).doesNotContain(made.text("secret"));
      assertThat(served.get("/v1/cluster/webhooks").body()).doesNotContain("whsec_");
      for (String body :
          List.of(
              "{}",
              "{\"url\":\"ftp://x\"}",
              "{\"url\":\"http://a:b@c/\"}",
              "{\"url\":\"x\"}",
              "{\"url\":\"https://x\",\"events\":[\"nothing\"]}",
              "{\"url\":\"mailto:a@b.example\"}",
              "{\"url\":\"file:///etc/passwd\"}",
              "{\"url\":\"https://x\",\"secret\":\"s\"}")) {
        assertThat(served.json("PUT", path, body).status()).as(body).isEqualTo(422);
      }
      assertThat(served.json("DELETE", path, "").status()).isEqualTo(200);
      assertThat(served.get(path).status()).isEqualTo(404);
    }
  }

  @Test
  void noSecretStandsInWhatConfigurationsSayOfThemselves() {
    MailSender.Config mail = new MailSender.Config("h", 25, "a@b", "u", "planted-secret", false);
    Watching watching =
        new Watching(Thresholds.DEFAULT, Optional.empty(), Optional.of(mail), false);
    assertThat(watching.toString()).doesNotContain("planted-secret");
    assertThat(ServerConfig.of(0, "planted-secret").watched(watching).toString())
        .doesNotContain("planted-secret");
  }
}
