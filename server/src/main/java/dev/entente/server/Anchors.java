// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.NodeTls;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.AuditHead;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Signed ends of the audit log. Kept elsewhere, one tells whether the log up to it was changed,
 * dropped or written anew since. What is signed, with Ed25519, are the lines {@code
 * entente-anchor-1}, node, sequence, hash and time. Thread-safe.
 */
final class Anchors {
  private static final String KEPT = "anchor-key";
  private static final String ALGORITHM = "Ed25519";
  private static final Set<String> MEMBERS =
      Set.of("node", "sequence", "hash", "at", "key", "signature");

  private final Node node;

  Anchors(Node node) {
    this.node = node;
  }

  private record Keys(byte[] open, PrivateKey secret) {}

  /** The node's own key, made when it is first needed. */
  private synchronized Keys keys() throws GeneralSecurityException {
    Optional<byte[]> kept = node.kept(KEPT);
    if (kept.isPresent()) {
      ByteReader in = new ByteReader(kept.get());
      byte[] open = in.raw(in.count());
      byte[] secret = in.raw(in.count());
      return new Keys(
          open, KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(secret)));
    }
    KeyPair pair = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
    byte[] open = pair.getPublic().getEncoded();
    byte[] secret = pair.getPrivate().getEncoded();
    ByteWriter out = new ByteWriter().varint(open.length).raw(open);
    Writes.await(() -> node.keep(KEPT, out.varint(secret.length).raw(secret).toBytes()));
    return new Keys(open, pair.getPrivate());
  }

  private static byte[] signed(String who, long sequence, String hash, String at) {
    String text = String.join("\n", "entente-anchor-1", who, String.valueOf(sequence), hash, at);
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The end of the log as of now. */
  JsonObject now() {
    AuditHead head = node.auditHead();
    String at = Instant.ofEpochMilli(node.nowMillis()).toString();
    try {
      Keys keys = keys();
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(keys.secret());
      signature.update(signed(node.id().value(), head.sequence(), head.hash(), at));
      Map<String, Json> members = new TreeMap<>();
      members.put("node", Json.of(node.id().value()));
      members.put("sequence", Json.of(head.sequence()));
      members.put("hash", Json.of(head.hash()));
      members.put("at", Json.of(at));
      members.put("key", Json.of(Base64.getEncoder().encodeToString(keys.open())));
      members.put("signature", Json.of(Base64.getEncoder().encodeToString(signature.sign())));
      return JsonObject.of(members);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has Ed25519", e);
    }
  }

  /** Why the log is not what an anchor says it was; empty where it is. */
  Optional<String> broken(JsonObject anchor) {
    Call.only(anchor, "an anchor", MEMBERS);
    String who = text(anchor, "node");
    String hash = text(anchor, "hash");
    if (!(anchor.get("sequence") instanceof JsonNumber number) || !number.isLong()) {
      throw notOne();
    }
    long sequence = number.longValue();
    try {
      byte[] key = Base64.getDecoder().decode(text(anchor, "key"));
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initVerify(
          KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(key)));
      signature.update(signed(who, sequence, hash, text(anchor, "at")));
      if (!signature.verify(Base64.getDecoder().decode(text(anchor, "signature")))) {
        return Optional.of("the anchor itself was changed: its signature does not fit");
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw notOne();
    }
    if (!NodeTls.isNamed(who, node.id().name())) {
      return Optional.of("the anchor is of the node " + who + ", not of this one");
    }
    if (sequence == 0) {
      return Optional.empty();
    }
    Optional<AuditHead> head = node.auditHead(sequence);
    if (head.isEmpty()) {
      return Optional.of("the audit log has no entry " + sequence + " any more");
    }
    return head.get().hash().equals(hash)
        ? Optional.empty()
        : Optional.of("the audit log up to entry " + sequence + " is not what it was");
  }

  private static String text(JsonObject anchor, String name) {
    if (anchor.get(name) instanceof JsonString(String text)) {
      return text;
    }
    throw notOne();
  }

  private static Problem notOne() {
    return new Problem(
        Code.INVALID, "this is no anchor as GET /v1/cluster/audit/anchor gives them");
  }
}
