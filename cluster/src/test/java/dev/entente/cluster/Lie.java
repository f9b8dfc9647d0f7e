// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.Proof;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.engine.AccessKeys;
import dev.entente.engine.StampedPolicy;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What a fake node says that is not so: about which part of the protocol, and how it is told. */
enum Lie {
  ROOT_IS_TRUE("Version.changes", Told.FAULT, liar -> liar.writes(root(Json.of(true)))),
  ROOT_IS_A_NUMBER("Version.changes", Told.FAULT, liar -> liar.writes(root(Json.of(7)))),
  ROOT_IS_A_LIST("Version.changes", Told.FAULT, liar -> liar.writes(root(JsonArray.EMPTY))),
  DOCUMENT_TOO_DEEP(
      "Version.changes",
      Told.FAULT,
      liar -> liar.writes(v -> v.changes(List.of(assign(deep(200), Json.of(1)))))),
  MEMBER_WITHOUT_A_VALUE(
      "Version.changes",
      Told.FAULT,
      liar -> liar.writes(v -> v.changes(List.of(assign(Path.of("v"), hole()))))),
  RIGHTS_TAKEN_BY_GIVING(
      "Version.changes",
      Told.FAULT,
      liar ->
          liar.writes(
              v -> v.changes(List.of(new Change.Give(Path.of("n"), new NodeId("h0.1"), -9))))),
  AUTHOR_OF_TWO_LINES("Version.author", Told.FAULT, liar -> liar.writes(v -> v.author("a\nb"))),
  AUTHOR_TOO_LONG(
      "Version.author", Told.FAULT, liar -> liar.writes(v -> v.author("a".repeat(5_000)))),
  DEVICE_THAT_IS_INVISIBLE(
      "Version.device", Told.FAULT, liar -> liar.writes(v -> v.device(Optional.of("\u202e")))),
  EVENT_ID_TOO_LONG(
      "Version.eventId",
      Told.FAULT,
      liar -> liar.writes(v -> v.eventId(Optional.of("e".repeat(5_000))))),
  BUILDS_ON_ITSELF(
      "Version.context",
      Told.FAULT,
      liar -> liar.writes(v -> v.context(seen(Liar.ID, Long.MAX_VALUE)))),
  BUILDS_ON_WHAT_NOBODY_WROTE(
      "Version.context",
      Told.HELD,
      liar -> liar.writes(v -> v.context(seen(new NodeId("nobody.1"), 5)))),
  FOLLOWS_WHAT_NOBODY_HAS("Version.previous", Told.HELD, liar -> liar.writes(v -> v.previous(1))),
  ACCEPTED_IN_THE_FUTURE(
      "Version.acceptedAt",
      Told.HELD,
      liar ->
          liar.writes(v -> v.acceptedAt(HybridTime.ofMillis(LiesTest.EPOCH + 86_400_000_000L)))),
  RECORD_OF_TWO_LINES(
      "Version.key", Told.FAULT, liar -> liar.sends(flipped(liar.version(v -> {}), "note", '\n'))),
  ANOTHER_ENCODING("Version.dot", Told.FAULT, liar -> liar.sends(longer(liar.version(v -> {})))),
  ANOTHER_CONTENT_UNDER_A_THIRD_NODES_NUMBER(
      "Version.dot",
      Told.NAMED,
      liar -> liar.sends(Liar.version(liar.honestDot, record(1), v -> v.author("h0")))),
  ANOTHER_RECORD_UNDER_A_THIRD_NODES_NUMBER(
      "Version.dot",
      Told.NAMED,
      liar ->
          liar.sends(Liar.version(liar.honestDot, new RecordKey("main", "other", "o"), v -> {}))),
  INVALID_UNDER_A_THIRD_NODES_NUMBER(
      "Version.dot",
      Told.FAULT,
      liar -> liar.sends(Liar.version(unused(), record(1), root(Json.of(true))))),
  ACCOUNT_UNDER_A_THIRD_NODES_NUMBER(
      "Version.proof",
      Told.ACCESS,
      liar ->
          liar.sends(
              Liar.version(
                  new Dot(new NodeId("ghost.1"), 9),
                  new RecordKey("_entente", "account", "mallory"),
                  v -> {}))),
  WAITS_UNDER_A_NUMBER_OF_NOBODY(
      "Version.context",
      Told.HELD,
      liar ->
          liar.sends(
              Liar.version(
                  new Dot(new NodeId("ghost.1"), 7),
                  record(1),
                  v -> v.context(seen(new NodeId("nobody.1"), 5))))),
  ACCOUNT_OF_THE_GROUP(
      "Version.proof",
      Told.ACCESS,
      liar ->
          liar.sends(
              Liar.version(
                  new Dot(new NodeId("group.1"), 5_000),
                  new RecordKey("_entente", "account", "mallory"),
                  v -> {}))),
  THE_GROUP_ACCEPTED_IN_THE_FUTURE(
      "Version.acceptedAt",
      Told.HELD,
      liar ->
          liar.sends(
              Liar.version(
                  new Dot(new NodeId("group.1"), 5_001),
                  record(5_001),
                  v -> v.acceptedAt(HybridTime.ofMillis(LiesTest.EPOCH + 86_400_000_000L))))),
  ACCOUNT_FOR_ITSELF(
      "Version.proof", Told.ACCESS, liar -> liar.sends(liar.access("account", "mallory"))),
  TOKEN_FOR_ITSELF("Version.proof", Told.ACCESS, liar -> liar.sends(liar.access("token", "t"))),
  WEBHOOK_FOR_ITSELF("Version.proof", Told.ACCESS, liar -> liar.sends(liar.access("webhook", "w"))),
  FREEZE_OF_ALL("Version.proof", Told.ACCESS, liar -> liar.sends(liar.access("freeze", "f"))),
  RETENTION_OF_NOTHING(
      "Version.proof", Told.ACCESS, liar -> liar.sends(liar.access("retention", "main"))),
  APPROVAL_OF_A_REVIEWER(
      "Version.proof", Told.ACCESS, liar -> liar.sends(liar.access("review", "r"))),
  ANOTHER_NODE_HAS_ALL(
      "Version.key", Told.ACCESS, liar -> liar.sends(liar.access("knowledge", "h0.1"))),
  BYTES_THAT_ARE_NO_VERSION(
      "Shipment.entries",
      Told.LINK,
      liar -> {
        byte[] whole = liar.version(v -> {});
        liar.sends(Arrays.copyOf(whole, whole.length - 2));
        liar.afterwards(() -> liar.replaceLast(whole));
      }),
  IS_WHO_ASKS("Shipment.from", Told.LINK, liar -> liar.from = Liar.From.WHO_ASKS),
  BEGINS_BEHIND_ITS_LOG("Shipment.after", Told.LINK, liar -> liar.skips = 1_000),
  LOG_LONGER_THAN_SENT("PullReply.position", Told.LAG, liar -> liar.position = 1_000_000),
  ENDS_WHERE_IT_DOES_NOT("Shipment.upTo", Told.NOTHING, liar -> liar.more = 10),
  SAYS_THAT_MORE_FOLLOWS("Shipment.complete", Told.NOTHING, liar -> liar.complete = false),
  HAS_MORE_OF_WHO_ASKS_THAN_IT_WROTE(
      "Shipment.known", Told.CLAIM, liar -> liar.claims.put(Liar.WHO_ASKS, 1_000_000L)),
  HAS_FAR_MORE_OF_WHO_ASKS_THAN_IT_WROTE(
      "Shipment.known", Told.LINK, liar -> liar.claims.put(Liar.WHO_ASKS, 1L << 50)),
  HAS_MORE_OF_ANOTHER_THAN_IT_SENT(
      "Shipment.known", Told.NOTHING, liar -> liar.claims.put(new NodeId("h1.1"), 1_000_000L)),
  HAS_WHAT_NOBODY_WROTE(
      "Shipment.known", Told.NOTHING, liar -> liar.claims.put(new NodeId("nobody.1"), 9L)),
  ADDRESS_THAT_IS_A_SCRIPT(
      "Member.url", Told.FAULT, liar -> liar.tells(member("x.1", "javascript:alert(1)", 1))),
  ADDRESS_THAT_IS_A_FILE(
      "Member.url", Told.FAULT, liar -> liar.tells(member("x.1", "file:///etc/passwd", 1))),
  ADDRESS_WITH_A_PASSWORD(
      "Member.url", Told.FAULT, liar -> liar.tells(member("x.1", "http://a:b@c", 1))),
  AN_HONEST_NODE_WAS_REMOVED(
      "PullReply.removals",
      Told.FAULT,
      liar -> liar.removals = List.of(removal("h0", 0, Optional.empty()))),
  ALL_WERE_REMOVED_SIGNED_BY_ITSELF(
      "Removal.proof",
      Told.FAULT,
      liar ->
          liar.removals =
              Stream.of("h0", "h1", "h2", "h3", "h4")
                  .map(name -> removal(name, 0, Optional.empty()))
                  .map(each -> each.with(Optional.of(liarsKeys().sign(each.statement()))))
                  .toList()),
  A_REMOVAL_WITH_THE_PROOF_OF_ANOTHER(
      "Removal.node",
      Told.FAULT,
      liar ->
          liar.removals =
              List.of(
                  removal(
                      "asia",
                      0,
                      Optional.of(
                          liarsKeys().sign(removal("eu", 0, Optional.empty()).statement()))))),
  A_NODE_WAS_ADMITTED_AGAIN(
      "Removal.admittedAtMillis",
      Told.FAULT,
      liar -> liar.removals = List.of(removal("ghost", Long.MAX_VALUE, Optional.empty()))),
  REMOVED_WITHOUT_END_OF_TIME(
      "Removal.removedAtMillis",
      Told.FAULT,
      liar ->
          liar.removals =
              List.of(new Removal(new NodeId("us"), Long.MAX_VALUE, 0, Optional.empty()))),
  REMOVALS_WITHOUT_END(
      "PullReply.removals",
      Told.LINK,
      liar -> liar.removals = Collections.nCopies(2_000, removal("x", 0, Optional.empty()))),
  MEMBERS_WITHOUT_END(
      "PullReply.members",
      Told.LINK,
      liar -> liar.members = Collections.nCopies(2_000, member("x.1", "http://x", 1))),
  LINKS_WITHOUT_END(
      "PullReply.links",
      Told.LINK,
      liar ->
          liar.links =
              Collections.nCopies(2_000, new LinkReport(Liar.ID, LinkState.IN_STEP, 0, 0, 0))),
  ITS_LINKS_ARE_DOWN(
      "LinkReport.state",
      Told.NOTHING,
      liar -> liar.links = List.of(new LinkReport(new NodeId("h0.1"), LinkState.CUT, 9, -1, 5))),
  ITS_SIDE_HAS_STEPPED_DOWN(
      "PullReply.standing", Told.NOTHING, liar -> liar.standing = Optional.of("all is lost")),
  CLOCK_THAT_IS_AHEAD("PullReply.sentAtMillis", Told.CLOCK, liar -> liar.skew = 40_000),
  CLOCK_THAT_IS_BEHIND("PullReply.receivedAtMillis", Told.CLOCK, liar -> liar.skew = -40_000),
  OTHER_POLICIES("PullReply.policiesHash", Told.NOTHING, liar -> liar.hash = 42),
  POLICY_OF_THE_RESERVED_TENANT(
      "StampedPolicy.tenant",
      Told.FAULT,
      liar -> liar.policy("_entente", "account", "type: account\ndefault: first-writer-wins")),
  POLICY_OF_ANOTHER_TYPE(
      "StampedPolicy.type", Told.FAULT, liar -> liar.policy("main", "note", "type: other")),
  POLICY_THAT_IS_NONE(
      "StampedPolicy.text", Told.LINK, liar -> liar.policy("main", "note", "type: [")),
  POLICY_FROM_THE_FUTURE(
      "StampedPolicy.stamp",
      Told.NOTHING,
      liar ->
          liar.policies =
              List.of(
                  new StampedPolicy(
                      "main",
                      "note",
                      new HybridTime(Long.MAX_VALUE),
                      Liar.ID,
                      "type: note\ndefault: first-writer-wins")));

  /** How the node that was lied to says so. */
  enum Told {
    /** It counts and audits a fault of the liar. */
    FAULT,
    /** It counts what the liar sent without a proof. */
    ACCESS,
    /** Its audit log says what the liar sent. */
    NAMED,
    /** The link to the liar has a problem. */
    LINK,
    /** What the liar wrote waits, and is counted. */
    HELD,
    /** It lacks what the liar says to have. */
    LAG,
    /** The clock of the liar is off. */
    CLOCK,
    /** The liar says to have what was never written. */
    CLAIM,
    /** It cannot be known to be a lie, or is none that matters, and changes nothing. */
    NOTHING
  }

  final String about;
  final Told told;

  // Each is a lambda of this file, which holds nothing.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Consumer<Liar> how;

  Lie(String about, Told told, Consumer<Liar> how) {
    this.about = about;
    this.told = told;
    this.how = how;
  }

  void begin(Liar liar) {
    how.accept(liar);
  }

  /** A number that no honest node gives. */
  private static Dot unused() {
    return new Dot(new NodeId("h1.1"), 1_000_000);
  }

  private static Consumer<Version.Builder> root(Json value) {
    return v -> v.changes(List.of(new Change.Assign(Unit.ALIVE, value, List.of())));
  }

  private static Change assign(Path path, Json value) {
    return new Change.Assign(Unit.field(path), value, List.of());
  }

  private static Path deep(int names) {
    return new Path(Collections.nCopies(names, "a"));
  }

  private static Json hole() {
    return JsonObject.of(Map.of("a", JsonAbsent.ABSENT));
  }

  private static CausalContext seen(NodeId whose, long number) {
    return CausalContext.of(VersionVector.of(new TreeMap<>(Map.of(whose, number))));
  }

  private static AccessKeys liarsKeys() {
    return AccessKeys.of("the liar's token", Set.of());
  }

  private static Removal removal(String node, long admitted, Optional<Proof> proof) {
    return new Removal(new NodeId(node), LiesTest.EPOCH + 1_000_000, admitted, proof);
  }

  private static Member member(String node, String url, long stamp) {
    return new Member(new NodeId(node), url, stamp, false, stamp);
  }

  /** With the first letter of a name exchanged. */
  private static byte[] flipped(byte[] version, String name, char with) {
    byte[] changed = version.clone();
    byte[] part = name.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    for (int i = 0; i < changed.length - part.length; i++) {
      if (Arrays.equals(Arrays.copyOfRange(changed, i, i + part.length), part)) {
        changed[i] = (byte) with;
        return changed;
      }
    }
    throw new AssertionError();
  }

  /** With the length of the node's name in two bytes instead of one. */
  static byte[] longer(byte[] version) {
    byte[] longer = new byte[version.length + 1];
    longer[0] = version[0];
    longer[1] = (byte) (version[1] | 0x80);
    System.arraycopy(version, 2, longer, 3, version.length - 2);
    Dot dot = VersionCodec.dotOf(longer);
    if (!dot.equals(VersionCodec.dotOf(version))) {
      throw new AssertionError();
    }
    return longer;
  }

  /** The record that a version of the fake node is about. */
  static RecordKey record(long number) {
    return new RecordKey("main", "note", "l" + number);
  }
}
