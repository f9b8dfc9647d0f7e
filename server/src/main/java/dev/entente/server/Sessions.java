// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Sessions across nodes: a token that says what a client has seen, which it carries to whichever
 * node it calls next. A node answers only once it has all that. So a client reads its own writes,
 * never sees less than before, and nobody sees its writes without what it had seen (monotonic
 * reads, read your writes, monotonic writes, writes follow reads), at any node. Thread-safe.
 *
 * <p>Source: Terry et al., <i>Session guarantees for weakly consistent replicated data</i>, 1994.
 */
final class Sessions {
  /** The header that carries the token, in both directions. */
  static final String HEADER = "Entente-Session";

  /** What a client sends to begin one. */
  static final String NEW = "new";

  private static final int FORMAT = 1;
  private static final int LENGTH_MAX = 6_000;
  private static final int NODES_MAX = 1_000;
  private static final long WAIT_MILLIS = 5_000;

  private final Node node;

  Sessions(Node node) {
    this.node = node;
  }

  /** Answers within the session that the call names, if it names one. */
  Reply within(Call call, Supplier<Reply> answer) {
    Optional<String> token = call.header(HEADER);
    if (token.isEmpty()) {
      return answer.get();
    }
    VersionVector seen = token.get().equals(NEW) ? VersionVector.EMPTY : parse(token.get());
    if (seen.get(node.id()) > node.position()) {
      throw new Problem(
          Code.CONFLICT,
          "the session has seen more of this node than there is; if the node was restored from a"
              + " backup, begin a new session");
    }
    await(seen);
    Reply reply = answer.get();
    return reply.with(HEADER, of(seen.join(node.known())));
  }

  private void await(VersionVector seen) {
    try {
      if (!node.awaitKnown(seen, WAIT_MILLIS)) {
        throw new Problem(
            Code.UNAVAILABLE,
            "this node does not have yet what the session has seen: it lacks "
                + lacking(seen)
                + "; try again, or another node");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
  }

  private String lacking(VersionVector seen) {
    VersionVector known = node.known();
    List<String> lacking = new ArrayList<>();
    seen.entries()
        .forEach((who, number) -> {
          if (known.get(who) < number) {
            lacking.add((number - known.get(who)) + " of " + who.name());
          }
        });
    return String.join(", ", lacking.subList(0, Math.min(5, lacking.size())));
  }

  static String of(VersionVector seen) {
    ByteWriter out = new ByteWriter().u8(FORMAT);
    CausalCodec.write(out, seen);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(out.toBytes());
  }

  private static VersionVector parse(String token) {
    if (token.length() > LENGTH_MAX) {
      throw new Problem(Code.TOO_LARGE, "a session names at most " + NODES_MAX + " nodes");
    }
    try {
      ByteReader in = new ByteReader(Base64.getUrlDecoder().decode(token));
      if (in.u8() != FORMAT) {
        throw new Problem(Code.MALFORMED, "the session is of an unknown format; begin a new one");
      }
      Map<NodeId, Long> entries = new TreeMap<>();
      for (int i = in.count(); i > 0; i--) {
        Dot dot = CausalCodec.readDot(in);
        entries.put(dot.node(), dot.number());
      }
      in.expectEnd();
      return VersionVector.of(entries);
    } catch (DamagedException | IllegalArgumentException e) {
      throw new Problem(
          Code.MALFORMED, "the session is not one that was given out; begin one with \"new\"");
    }
  }
}
