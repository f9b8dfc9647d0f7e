// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A word that one tenant has written everywhere it can never comes up in an answer to another. */
class CanaryTest {
  private static final String CANARY = "canary-7f3a";
  private final Served served = new Served();
  private final String theirs = served.account("bob", "admin@birds");

  @BeforeEach
  void sing() {
    String tenant = "/v1/mine/";
    yaml(
        tenant + "policies/" + CANARY,
        "type: " + CANARY + "\ndefault: manual-review\nunique: [" + CANARY + "]\n");
    String path = tenant + "records/" + CANARY + "/" + CANARY;
    String document = "{\"" + CANARY + "\":\"" + CANARY + "\"}";
    String context = served.json("PUT", path, document).text("context");
    for (int i = 0; i < 2; i++) {
      served.json(
          "PUT",
          path,
          "{\"" + CANARY + "\":\"" + CANARY + i + "\"}",
          "Entente-Context",
          context,
          "Entente-Author",
          CANARY + i);
    }
    String review = tenant + "reviews/" + pending();
    served.json("POST", review + "/notes", "{\"text\":\"" + CANARY + "\"}");
    served.json("POST", review + "/assign", "{\"owner\":\"" + CANARY + "\"}");
    String view = "{\"filter\":{\"owner\":\"" + CANARY + "\"},\"shared\":true}";
    served.json("PUT", tenant + "views/" + CANARY, view);
    served.json(
        "POST", tenant + "locks", "{\"lock\":\"" + CANARY + "\",\"owner\":\"" + CANARY + "\"}");
    served.json("POST", tenant + "freezes", "{\"type\":\"x\",\"reason\":\"" + CANARY + "\"}");
    // Refused, and so with its payload in the audit log.
    served.json("PUT", tenant + "records/x/1", document);
    String all =
        "{\"filter\":{\"owner\":\""
            + CANARY
            + "\"},\"rule\":\"highest-value\",\"dryRun\":true,\"background\":true}";
    served.json("POST", tenant + "reviews/decisions", all);
  }

  @AfterEach
  void close() {
    served.close();
  }

  private void yaml(String path, String text) {
    served.send(
        "PUT",
        path,
        text.getBytes(StandardCharsets.UTF_8),
        Map.of("Content-Type", "application/yaml"));
  }

  private String pending() {
    return served
        .get("/v1/mine/reviews")
        .body()
        .replaceAll("(?s).*\"id\":\"([0-9a-f]{32})\".*", "$1");
  }

  @Test
  void noAnswerToAnotherTenantHoldsIt() {
    Map<String, String> told = new TreeMap<>();
    int asked = 0;
    String review = pending();
    for (AccessTest.Operation operation : AccessTest.operations()) {
      if (!operation.method().equals("GET") || operation.path().contains("changes")) {
        continue;
      }
      for (String tenant : List.of("birds", "mine", "_entente")) {
        for (String id : List.of("x", review)) {
          String path = operation.at(tenant, "x").replace("/x", "/" + id);
          Map<String, String> headers = new HashMap<>();
          headers.put("Authorization", "Bearer " + theirs);
          Served.Answer answer = served.send("GET", path, new byte[0], headers);
          asked++;
          if (answer.body().contains(CANARY)) {
            told.put(path, answer.body());
          }
        }
      }
    }
    assertThat(asked).isGreaterThan(150);
    assertThat(told).isEmpty();
  }

  @Test
  void theirOwnTenantDoesShowIt() {
    String eve = served.account("eve", "admin@mine");
    String[] as = {"Authorization", "Bearer " + eve};
    for (String path :
        List.of(
            "reviews",
            "audit",
            "freezes",
            "views",
            "policies",
            "records",
            "figures",
            "hotspots",
            "conflicts",
            "jobs")) {
      assertThat(served.json("GET", "/v1/mine/" + path, "", as).body()).as(path).contains(CANARY);
    }
  }
}
