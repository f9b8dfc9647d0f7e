// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.record.Version;
import dev.entente.engine.ChangeFeed;
import dev.entente.engine.FeedCursor;
import dev.entente.engine.FeedGapException;
import dev.entente.engine.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A client that follows the changes feed and asks another node each time: it hears of every version
 * once, of each record in causal order (invariant 28). Where it is refused it begins anew.
 */
final class FeedReader {
  private static final int PAGE = 5;

  private final Mutant mutant;
  private final Set<Dot> heard = new HashSet<>();
  private final Map<String, List<Version>> byRecord = new HashMap<>();
  private @Nullable FeedCursor cursor;
  private int turns;

  FeedReader(Mutant mutant) {
    this.mutant = mutant;
  }

  /** A node can be asked; every third time the reader does. */
  void mayAsk(Node node) {
    if (turns++ % 3 == 0) {
      read(node);
    }
  }

  private boolean read(Node node) {
    FeedCursor from = cursor;
    try {
      if (from == null) {
        from = begin(node);
      } else if (mutant == Mutant.POSITION_CURSOR) {
        from =
            new FeedCursor(
                node.id(),
                Math.min(from.position(), node.visiblePosition()),
                CausalContext.EMPTY,
                from.gap());
      }
      ChangeFeed.Page page = node.feed().read("main", from, PAGE);
      page.entries().forEach(entry -> hear(node, entry.version()));
      cursor = page.cursor();
      return !page.entries().isEmpty() || !page.complete();
    } catch (FeedGapException e) {
      cursor = begin(node);
      return true;
    }
  }

  private FeedCursor begin(Node node) {
    heard.clear();
    byRecord.clear();
    return node.feed().begin("main");
  }

  private void hear(Node node, Version version) {
    if (!heard.add(version.dot())) {
      throw new Oracle.Broken("28: the feed told of " + version.dot() + " twice, now " + node.id());
    }
    List<Version> before =
        byRecord.computeIfAbsent(version.key().toString(), _ -> new ArrayList<>());
    for (Version other : before) {
      if (other.context().contains(version.dot())) {
        throw new Oracle.Broken(
            "28: the feed told of " + other.dot() + " before " + version.dot() + ", which it saw");
      }
    }
    before.add(version);
  }

  /** All nodes have everything: whichever is asked, the reader ends with all that is kept. */
  void converged(Node node) {
    while (read(node)) {
      // It reads on.
    }
    node.changes("main", 0, Integer.MAX_VALUE)
        .forEach(feed -> {
          Dot dot = feed.version().dot();
          if (!heard.contains(dot)) {
            throw new Oracle.Broken("28: the feed never told of " + dot);
          }
        });
  }
}
