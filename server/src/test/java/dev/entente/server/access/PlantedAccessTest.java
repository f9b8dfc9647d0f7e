// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.Registry;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a node that is removed had granted is undone where it had no right to, and reported. */
class PlantedAccessTest {
  private static final AccessKeys KEYS = AccessKeys.of("the administrator's token", Set.of());

  private final Node us = open("us");
  private final Node gone = open("gone");
  private final Accounts ours = new Accounts(us);
  private final Accounts theirs = new Accounts(gone);

  private static Node open(String name) {
    return Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name).onCallersThread());
  }

  @AfterEach
  void close() {
    us.close();
    gone.close();
  }

  private void exchange() {
    us.take(gone.ship(us.cursor(gone.id()), us.known(), 1 << 20)).join();
    gone.take(us.ship(gone.cursor(us.id()), gone.known(), 1 << 20)).join();
  }

  private static Account account(String name, boolean disabled, String... grants) {
    return new Account(name, List.of(grants).stream().map(Grant::parse).toList(), disabled);
  }

  private JsonObject undo(boolean takenOver) {
    return PlantedAccess.undo(us, new NodeId("gone"), takenOver, "root");
  }

  private static List<String> records(JsonObject report, String list) {
    return ((JsonArray) report.get(list))
        .items().stream().map(item -> ((JsonObject) item).text("record").orElseThrow()).toList();
  }

  /** Of a release that demanded no signatures. */
  @Test
  void whatNobodySignedIsUndone() {
    theirs.put(account("mallory", false, "admin@*"), "mallory").join();
    Accounts.Issued token = theirs.issue("mallory", Optional.empty(), "", "mallory");
    RecordKey webhook = new RecordKey(Registry.TENANT, Registry.WEBHOOK, "hook");
    gone.write(
            WriteRequest.of(
                webhook,
                new Edit.Put(JsonObject.of("url", Json.of("https://example.org"))),
                new Seen.Everything(),
                "mallory"))
        .join();
    exchange();
    us.demandProofs(KEYS);
    ours.put(account("ann", false, "reader@*"), "root").join();
    assertThat(ours.caller(token.secret())).isPresent();
    JsonObject report = undo(false);
    assertThat(records(report, "undone"))
        .containsExactly("account/mallory", "token/" + token.token().id(), "webhook/hook");
    assertThat(records(report, "left")).isEmpty();
    assertThat(ours.caller(token.secret())).isEmpty();
    assertThat(ours.get("mallory").orElseThrow()).isEqualTo(account("mallory", true));
    assertThat(ours.get("ann").orElseThrow().disabled()).isFalse();
    assertThat(us.read(webhook).view().exists()).isFalse();
    assertThat(records(undo(false), "undone")).as("again").isEmpty();
  }

  @Test
  void whatATrustedKeySignedIsReportedAndStaysUnlessTheNodeWasTakenOver() {
    us.demandProofs(KEYS);
    gone.demandProofs(KEYS);
    theirs.put(account("bob", false, "writer@main"), "root").join();
    exchange();
    assertThat(records(undo(false), "left")).containsExactly("account/bob");
    assertThat(ours.get("bob").orElseThrow().disabled()).isFalse();
    assertThat(records(undo(true), "undone")).containsExactly("account/bob");
    assertThat(ours.get("bob").orElseThrow()).isEqualTo(account("bob", true));
  }

  @Test
  void ofAnAccountThatOthersMadeOnlyWhatItAddedIsTakenAway() {
    us.demandProofs(KEYS);
    gone.demandProofs(KEYS);
    ours.put(account("ann", false, "reader@main", "writer@main"), "root").join();
    ours.put(account("eve", true, "reader@main"), "root").join();
    ours.put(account("kim", false, "reader@main"), "root").join();
    exchange();
    theirs.put(account("ann", false, "reader@main", "admin@*"), "root").join();
    theirs.put(account("eve", false, "reader@main"), "root").join();
    theirs.put(account("kim", true, "reader@main"), "root").join();
    exchange();
    JsonObject report = undo(true);
    assertThat(records(report, "undone")).containsExactly("account/ann", "account/eve");
    assertThat(records(report, "left")).containsExactly("account/kim");
    assertThat(ours.get("ann").orElseThrow())
        .as("what it took away stays away")
        .isEqualTo(account("ann", false, "reader@main"));
    assertThat(ours.get("eve").orElseThrow()).isEqualTo(account("eve", true, "reader@main"));
    assertThat(ours.get("kim").orElseThrow().disabled()).isTrue();
    exchange();
    assertThat(theirs.get("ann").orElseThrow()).isEqualTo(account("ann", false, "reader@main"));
  }
}
