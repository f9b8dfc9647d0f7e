// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.resolve.Strategy;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All built-in strategies by name. */
public final class Strategies {
  private static final List<Strategy> ALL =
      List.of(
          new ByTime(true),
          new ByTime(false),
          new ByValue(true),
          new ByValue(false),
          new SumOfChanges(),
          new Priority(),
          new Union(),
          new Merge(),
          new Append(),
          new KeepBoth(),
          new MultiValue(),
          new Lifecycle(),
          new RejectLater(),
          new ManualReview(),
          new Rollback(),
          new Vote(),
          new Semantic());

  private static final Map<String, Strategy> BY_NAME = new TreeMap<>();

  static {
    ALL.forEach(strategy -> BY_NAME.put(strategy.name(), strategy));
  }

  private Strategies() {}

  public static List<Strategy> all() {
    return ALL;
  }

  /** The strategy of a name; what follows a colon is its own affair. */
  public static @Nullable Strategy named(String name) {
    int colon = name.indexOf(':');
    return BY_NAME.get(colon < 0 ? name : name.substring(0, colon));
  }
}
