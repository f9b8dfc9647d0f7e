// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.simulation.Stage.Figure;
import dev.entente.simulation.Stage.Happening;
import dev.entente.simulation.Stage.Performance;
import java.util.ArrayList;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A performance as a page of its own: what happened, what came of it, and a plot of each figure
 * over the same seconds. It needs nothing but itself, by day and by night, on paper too.
 */
public final class StoryPage {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 170;
  private static final int LEFT = 46;
  private static final int BOTTOM = 22;
  private static final List<String> DASHES = List.of("", "7 3", "2 3", "9 3 2 3", "1 5");

  private static final String STYLE =
      """
      :root { color-scheme: light dark; --paper:#f7f6f2; --card:#fff; --ink:#1d2422; --muted:#5d6763; --line:#d9d8d0;
        --bad:#a3232b; --bad-bg:#fbe6e6; --good:#1f6b3a; --good-bg:#e3f3e7; --c0:#1f6b57; --c1:#b0541e; --c2:#3659b5; --c3:#8a2f7a; --c4:#6b6b1f; }
      @media (prefers-color-scheme: dark) { :root { --paper:#14181a; --card:#1d2325; --ink:#e6eae8; --muted:#a0aaa6; --line:#353d3f;
        --bad:#ff9a98; --bad-bg:#43201f; --good:#8fd6a4; --good-bg:#1b3524; --c0:#6cc7ab; --c1:#f0a06a; --c2:#8fabff; --c3:#e39ad6; --c4:#d2d27a; } }
      body { margin:0 auto; padding:24px 20px 60px; max-width:920px; background:var(--paper); color:var(--ink); font:16px/1.5 system-ui, sans-serif; }
      h1 { margin:0 0 4px; } h2 { margin:0 0 2px; font-size:1.05rem; } p { margin:6px 0; } .muted { color:var(--muted); }
      .card { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:14px 16px; margin:14px 0; }
      .tiles { display:grid; grid-template-columns:repeat(auto-fit, minmax(128px, 1fr)); gap:10px; margin:14px 0; } .tile { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:10px 14px; font-size:.9rem; }
      .tile b { display:block; font-size:1.5rem; } .tile.good { background:var(--good-bg); color:var(--good); } .tile.bad { background:var(--bad-bg); color:var(--bad); }
      ol { padding-left:0; list-style:none; } li { padding:2px 0; } li b { display:inline-block; min-width:4.2em; } li.harm { color:var(--bad); }
      svg { width:100%; height:auto; display:block; } svg text { fill:var(--muted); font-size:12px; } .axis { stroke:var(--line); }
      @media (max-width:600px) { svg text { font-size:20px; } .plot { stroke-width:3.5; } }
      .mark { stroke:var(--muted); stroke-dasharray:2 4; } .mark.harm { stroke:var(--bad); }
      .plot { fill:none; stroke-width:2; } .key { display:flex; flex-wrap:wrap; gap:4px 18px; margin:4px 0 0; } .key svg { width:34px; height:10px; display:inline-block; vertical-align:middle; }
      """;

  private final Performance performance;
  private final StringBuilder out = new StringBuilder(1 << 16);
  private final Formatter svg = new Formatter(out, Locale.ROOT);

  private StoryPage(Performance performance) {
    this.performance = performance;
  }

  /** The page as HTML. */
  public static String of(Performance performance) {
    return new StoryPage(performance).page();
  }

  private String page() {
    Story story = performance.story();
    out.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .append(escaped(story.title()))
        .append("</title>\n<style>\n")
        .append(STYLE)
        .append("</style>\n</head>\n<body>\n<h1>")
        .append(escaped(story.title()))
        .append("</h1>\n");
    paragraph("", story.about());
    paragraph("muted", "To look for: " + story.expectation());
    tiles();
    happenings();
    for (Figure figure : Figure.values()) {
      plot(figure);
    }
    paragraph(
        "muted",
        "The real nodes, links and rules on simulated machines. Again: bin/entente simulate "
            + story.name()
            + " --seed "
            + performance.seed());
    return out.append("</body>\n</html>\n").toString();
  }

  private void paragraph(String style, String text) {
    out.append(style.isEmpty() ? "<p>" : "<p class=\"" + style + "\">")
        .append(escaped(text))
        .append("</p>\n");
  }

  private void tiles() {
    out.append("<div class=\"tiles\">\n");
    boolean kept = performance.broken().isEmpty() && performance.convergedAfter().isPresent();
    tile(
        kept ? "good" : "bad",
        kept ? "nothing lost" : "broken",
        performance.broken().orElse("every promise was checked at the end"));
    tile(
        "",
        performance
            .convergedAfter()
            .map(s -> String.format(Locale.ROOT, "%.1f s", s))
            .orElse("never"),
        "from the end of the story until all had the same");
    tile("", number(performance.acknowledged()), "writes acknowledged, all there");
    tile("", number(performance.agreed()), "of them agreed on first");
    tile("", number(performance.refused()), "refused, since it could not be promised");
    tile(
        performance.critical() > 0 ? "bad" : "",
        number(performance.waiting()),
        "conflicts wait for people, " + number(performance.critical()) + " critical");
    out.append("</div>\n");
  }

  private void tile(String style, String figure, String meaning) {
    out.append("<div class=\"tile ")
        .append(style)
        .append("\"><b>")
        .append(escaped(figure))
        .append("</b>")
        .append(escaped(meaning))
        .append("</div>\n");
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private void happenings() {
    out.append("<div class=\"card\"><h2>What happened</h2>\n<ol>\n");
    for (Happening each : performance.happenings()) {
      out.append(each.harm() ? "<li class=\"harm\"><b>" : "<li><b>")
          .append(Math.round(each.second()))
          .append(" s</b>")
          .append(escaped(each.what()))
          .append("</li>\n");
    }
    out.append("</ol></div>\n");
  }

  private void plot(Figure figure) {
    Map<String, List<Double>> lines = performance.figures().getOrDefault(figure, Map.of());
    double most =
        lines.values().stream()
            .flatMap(List::stream)
            .filter(value -> !value.isNaN())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElse(0);
    double top = top(most);
    out.append("<div class=\"card\"><h2>")
        .append(figure.title())
        .append("</h2><span class=\"muted\">")
        .append(figure.note())
        .append("</span>\n<svg viewBox=\"0 0 ")
        .append(WIDTH)
        .append(' ')
        .append(HEIGHT)
        .append("\" role=\"img\" aria-label=\"")
        .append(figure.title())
        .append(", at most ")
        .append(number(Math.round(most)))
        .append("\">\n");
    axes(top);
    marks();
    List<String> names = new ArrayList<>(performance.story().nodes());
    names.sort(null);
    for (int i = 0; i < names.size(); i++) {
      line(i, lines.getOrDefault(names.get(i), List.of()), top);
    }
    out.append("</svg>\n");
    key(names);
    out.append("</div>\n");
  }

  /** A round number that is not below a value. */
  private static double top(double most) {
    double unit = Math.pow(10, Math.floor(Math.log10(Math.max(1, most))));
    for (double step : new double[] {1, 2, 5, 10}) {
      if (step * unit >= most) {
        return Math.max(1, step * unit);
      }
    }
    return most;
  }

  private double x(double second) {
    return LEFT + (WIDTH - LEFT - 8) * second / performance.story().seconds();
  }

  private static double y(double value, double top) {
    return 8 + (HEIGHT - BOTTOM - 8) * (1 - value / top);
  }

  private void axes(double top) {
    for (double part : new double[] {0, 0.5, 1}) {
      double at = y(part * top, top);
      svg.format(
          "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
          LEFT, WIDTH - 8, at, at);
      svg.format(
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
          LEFT - 6,
          at + 4,
          top * part == Math.rint(top * part)
              ? number(Math.round(top * part))
              : String.format(Locale.ROOT, "%.1f", top * part));
    }
    int step = performance.story().seconds() > 90 ? 30 : 10;
    for (int second = 0; second <= performance.story().seconds(); second += step) {
      svg.format(
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d s</text>%n",
          x(second), HEIGHT - 6, second);
    }
  }

  private void marks() {
    for (Happening each : performance.happenings()) {
      svg.format(
          "<line class=\"mark%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"8\" y2=\"%d\"><title>%s</title></line>%n",
          each.harm() ? " harm" : "",
          x(each.second()),
          x(each.second()),
          HEIGHT - BOTTOM,
          escaped(each.what()));
    }
  }

  private void line(int which, List<Double> values, double top) {
    StringBuilder path = new StringBuilder();
    boolean drawn = false;
    for (int i = 0; i < values.size(); i++) {
      double value = values.get(i);
      if (Double.isNaN(value)) {
        drawn = false;
      } else {
        path.append(drawn ? 'L' : 'M')
            .append(String.format(Locale.ROOT, "%.1f %.1f ", x(i + 1.0), y(value, top)));
        drawn = true;
      }
    }
    svg.format(
        "<path class=\"plot\" stroke=\"var(--c%d)\" stroke-dasharray=\"%s\" d=\"%s\"/>%n",
        which % DASHES.size(), DASHES.get(which % DASHES.size()), path);
  }

  private void key(List<String> names) {
    out.append("<div class=\"key\">");
    for (int i = 0; i < names.size(); i++) {
      svg.format(
          "<span><svg viewBox=\"0 0 34 10\" aria-hidden=\"true\"><path class=\"plot\" stroke=\"var(--c%d)\" stroke-dasharray=\"%s\" d=\"M0 5H34\"/></svg> %s</span>%n",
          i % DASHES.size(), DASHES.get(i % DASHES.size()), escaped(names.get(i)));
    }
    out.append("</div>\n");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}
