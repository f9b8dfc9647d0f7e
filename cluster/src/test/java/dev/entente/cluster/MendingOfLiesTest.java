// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.Correction;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.PeerFaults;
import dev.entente.engine.Sender;
import dev.entente.engine.UnprovenAccess;
import dev.entente.engine.VersionIndex;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Mending brings in nothing that replication would refuse, and signs nothing that nobody signed.
 */
class MendingOfLiesTest {
  private final MemoryStore store = new MemoryStore();
  private final Node node = Node.open(store, config("a"));
  private long incarnations = 1;

  private NodeConfig config(String name) {
    return NodeConfig.DEFAULT
        .withName(name)
        .withIncarnations(() -> ++incarnations)
        .onCallersThread();
  }

  private static RecordKey key(String id) {
    return new RecordKey("main", "t", id);
  }

  private static void pull(Node to, Node from) {
    to.take(from.ship(to.cursor(from.id()), to.known(), 1 << 24)).join();
  }

  private static final AccessKeys ADMIN = AccessKeys.of("the administrator's token", Set.of());

  /** What another node holds under a number of its own, and sent to nobody. */
  private static Map<String, byte[]> unacceptable() {
    Map<String, byte[]> all = new TreeMap<>();
    Dot dot = new Dot(Liar.ID, 50);
    Dot invented = new Dot(new NodeId("a.77"), 50);
    RecordKey account = new RecordKey("_entente", "account", "mallory");
    all.put("account", Liar.version(dot, account, v -> {}));
    all.put("account of an invented incarnation", Liar.version(invented, account, v -> {}));
    all.put("token", Liar.version(dot, new RecordKey("_entente", "token", "t"), v -> {}));
    List<Change> root = List.of(new Change.Assign(Unit.ALIVE, Json.of(true), List.of()));
    all.put("root", Liar.version(dot, key("root"), v -> v.changes(root)));
    all.put("encoding", Lie.longer(Liar.version(dot, key("longer"), v -> {})));
    return all;
  }

  private static Correction missing(byte[] version) {
    return new Correction(Optional.empty(), version, Set.of("liar"));
  }

  @Test
  void whatNoNodeAcceptsFromAnotherDoesNotComeInByMendingEither() {
    node.demandProofs(ADMIN);
    int told = 0;
    for (Map.Entry<String, byte[]> each : unacceptable().entrySet()) {
      assertThat(node.mending().begin(List.of(missing(each.getValue()))))
          .as(each.getKey())
          .isCompletedWithValue(0);
      assertThat(node.failure()).as(each.getKey()).isEmpty();
      assertThat(node.mending().isPending()).as(each.getKey()).isFalse();
      assertThat(node.known().contains(VersionCodec.dotOf(each.getValue()))).isFalse();
      assertThat(refusals(node)).as(each.getKey()).isEqualTo(++told);
    }
    byte[] fine = Liar.version(new Dot(Liar.ID, 51), key("fine"), v -> {});
    List<Correction> all = new ArrayList<>(List.of(missing(fine)));
    unacceptable().values().forEach(version -> all.add(missing(version)));
    assertThat(node.mending().begin(all)).isCompletedExceptionally();
    Node again = Node.open(store, config("a"), ADMIN);
    assertThat(again.mending().isPending()).isFalse();
    assertThat(again.read(key("fine")).view().exists()).isTrue();
    assertThat(again.read(key("root")).view().exists()).isFalse();
    assertThat(again.read(new RecordKey("_entente", "account", "mallory")).view().exists())
        .isFalse();
    assertThat(again.held()).isZero();
  }

  private static long refusals(Node node) {
    return node.peerFaults().bySender().stream().mapToLong(PeerFaults.Refused::count).sum()
        + node.unprovenAccess().bySender().stream().mapToLong(UnprovenAccess.Refused::count).sum();
  }

  /** A node that took an account before it demanded proofs does not vouch for it by mending. */
  @Test
  void whatNobodySignedIsNotSignedWhenItIsWrittenAgain() {
    RecordKey account = new RecordKey("_entente", "account", "mallory");
    Dot dot = new Dot(Liar.ID, 1);
    byte[] planted = Liar.version(dot, account, v -> {});
    byte[] other = Liar.version(dot, key("other"), v -> {});
    node.receive(List.of(planted), Sender.at(Liar.ID, Liar.URL)).join();
    node.demandProofs(ADMIN);
    Correction instead =
        new Correction(Optional.of(VersionIndex.hash(planted)), other, Set.of("liar"));
    assertThat(node.mending().begin(List.of(instead))).isCompletedExceptionally();
    Node again = Node.open(store, config("a"), ADMIN);
    assertThat(again.mending().isPending()).isFalse();
    assertThat(again.read(key("other")).view().exists()).isTrue();
    assertThat(again.read(account).view().exists()).isFalse();
    assertThat(again.audit("_entente", Long.MAX_VALUE, 9))
        .anySatisfy(
            entry -> assertThat(entry.detail().toString()).contains("is not written again"));
  }

  @Test
  void whatAnAdministratorSignedIsSignedAgainWhenItIsWrittenAgain() {
    RecordKey account = new RecordKey("_entente", "account", "ann");
    Node signing = Node.open(new MemoryStore(), config("liar"), ADMIN);
    Edit edit = new Edit.Put(JsonObject.of("status", Json.of("active")));
    signing.write(WriteRequest.of(account, edit, new Seen.Everything(), "admin")).join();
    node.demandProofs(ADMIN);
    pull(node, signing);
    byte[] signed = VersionCodec.toBytes(node.history(account, 9, 1).getFirst().version());
    byte[] other = Liar.version(new Dot(Liar.ID, 1), key("other"), v -> {});
    Correction instead =
        new Correction(Optional.of(VersionIndex.hash(signed)), other, Set.of("liar"));
    assertThat(node.mending().begin(List.of(instead))).isCompletedExceptionally();
    Node again = Node.open(store, config("a"), ADMIN);
    Node b = Node.open(new MemoryStore(), config("b"), ADMIN);
    pull(b, again);
    assertThat(b.read(account).view().exists()).isTrue();
    assertThat(b.unprovenAccess().bySender()).isEmpty();
  }
}
