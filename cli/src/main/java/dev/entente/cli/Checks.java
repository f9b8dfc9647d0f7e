// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.vote.Keys;
import java.net.URI;
import java.net.URISyntaxException;

/** Checks of values that several options take; each message names the option and what it takes. */
final class Checks {
  private static final int PORT_MAX = 65_535;

  private Checks() {}

  static void requireRange(String option, double number, double least, double greatest) {
    if (!(number >= least && number <= greatest)) {
      throw new IllegalArgumentException(
          option
              + " takes a number from "
              + plain(least)
              + (greatest == Double.MAX_VALUE ? " on" : " to " + plain(greatest))
              + ", not "
              + plain(number));
    }
  }

  static void requireAtLeast(String option, double number, double least) {
    requireRange(option, number, least, Double.MAX_VALUE);
  }

  static void requirePort(String option, int port) {
    requireRange(option, port, 1, PORT_MAX);
  }

  private static String plain(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? String.valueOf((long) number)
        : String.valueOf(number);
  }

  /** Checks the address of a server: http or https, a host, a port and perhaps a path. */
  static URI requireUrl(String option, String url) {
    try {
      URI uri = new URI(url);
      boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      boolean hasOthers =
          uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null;
      if (isHttp && uri.getHost() != null && !hasOthers && uri.getPort() <= PORT_MAX) {
        return uri;
      }
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(noUrl(option, url), e);
    }
    throw new IllegalArgumentException(noUrl(option, url));
  }

  private static String noUrl(String option, String url) {
    return option + " takes an http or https address, such as http://127.0.0.1:7400, not " + url;
  }

  /** Checks the private key under which a node votes. */
  static String requireVoteKey(String option, String key) {
    try {
      Keys.sign(new byte[0], key);
      return key;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          option + ": the file holds no private key; entente vote key makes one", e);
    }
  }
}
