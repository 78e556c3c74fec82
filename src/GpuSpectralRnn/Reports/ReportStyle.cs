namespace GpuSpectralRnn.Reports;

/// <summary>Style sheets of pages and drawings, without characters that XML escapes, because a style element is read verbatim.</summary>
internal static class ReportStyle
{
    /// <summary>Colours and drawings: sufficient for a standalone drawing.</summary>
    // The colours are Okabe and Ito's, which colour-blind readers can tell apart, darker on white and lighter on black.
    public const string Drawing = """

        :root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --soft: #5a636d; --rule: #d8dde2; --shade: #f4f6f8;
          --c0: #0067a5; --c1: #c75000; --c2: #00845f; --c3: #b4518f; --c4: #8a6d00; --c5: #5b4bb5; --rest: #a9b0b7 }
        @media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e4e7ea; --soft: #a3abb3; --rule: #363c42; --shade: #1e2226;
          --c0: #5ab4f0; --c1: #ff9a4d; --c2: #3ecf9f; --c3: #eb9fce; --c4: #e5c543; --c5: #b3a6ff; --rest: #5d666f } }
        svg text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink) }
        svg .middle { text-anchor: middle }
        svg .end { text-anchor: end }
        svg path { fill: none; stroke-width: 1 }
        svg .grid { stroke: var(--rule) }
        svg .axis { stroke: var(--soft) }
        svg .line { stroke: currentColor; stroke-width: 2; stroke-linejoin: round }
        svg .bars { stroke: currentColor }
        svg .marker { fill: currentColor; stroke: var(--paper); stroke-width: 1 }
        .c0 { color: var(--c0) } .c1 { color: var(--c1) } .c2 { color: var(--c2) } .c3 { color: var(--c3) }
        .c4 { color: var(--c4) } .c5 { color: var(--c5) } .rest { color: var(--rest) }
        svg .rest .line { stroke-width: 1.2 }
        svg .label { fill: currentColor; font-weight: 600 }
        svg .leader { stroke: currentColor; opacity: 0.5 }
        svg .reference { stroke: var(--soft); stroke-dasharray: 5 4 }
        svg .soft { fill: var(--soft) }
        svg .title { font-size: 16px; font-weight: 600 }
        svg .paper { fill: var(--paper) }

        """;

    /// <summary>The whole page.</summary>
    public const string Sheet = Drawing + """

        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
        main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.5rem 0 1rem; overflow-wrap: anywhere }
        h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; overflow-wrap: anywhere }
        p { max-width: 45rem; margin: 0.5rem 0 1rem; overflow-wrap: anywhere }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1rem 1.5rem; margin: 1rem 0 }
        figure { margin: 0; max-width: 38rem; min-width: 0 }
        figcaption, .caption { font-weight: 600; padding-bottom: 0.4rem; margin: 0; overflow-wrap: anywhere }
        figure svg { display: block; width: 100%; height: auto }
        .legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; list-style: none; margin: 0.3rem 0 0; padding: 0 0 0 0.5rem; font-size: 0.9rem }
        .legend li { display: flex; align-items: center; gap: 0.4rem; overflow-wrap: anywhere }
        .others { margin: 0.3rem 0 0; padding-left: 0.5rem; font-size: 0.85rem; color: var(--soft) }
        .legend svg { flex: none; width: 28px; height: 12px }
        .answer { max-width: none; font-size: 1.35rem; line-height: 1.35; font-weight: 600; margin: 0 0 1rem }
        .findings { grid-template-columns: max-content 1fr; border: 0; padding: 0; margin: 0 0 1.5rem }
        .findings dt { color: var(--soft) }
        .scroll { overflow-x: auto; margin: 0 0 1.2rem; background:
          linear-gradient(to right, var(--paper) 30%, transparent) left / 3rem 100% no-repeat local,
          linear-gradient(to left, var(--paper) 30%, transparent) right / 3rem 100% no-repeat local,
          linear-gradient(to right, var(--rule), transparent) left / 1rem 100% no-repeat scroll,
          linear-gradient(to left, var(--rule), transparent) right / 1rem 100% no-repeat scroll }
        .wide { display: none; color: var(--soft); font-size: 0.85rem; margin: 0 0 0.2rem }
        table { border-collapse: collapse; font-size: 0.92rem }
        th, td { padding: 0.3rem 0.8rem 0.3rem 0; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: baseline }
        td:first-child, .number { white-space: nowrap }
        th.number { white-space: normal }
        td:not(:first-child):not(.number) { min-width: 11rem }
        thead th { min-width: 3.5rem; border-bottom: 2px solid var(--soft); vertical-align: bottom }
        .number { text-align: right; font-variant-numeric: tabular-nums }
        footer { margin-top: 2.5rem; padding-bottom: 2rem; color: var(--soft); font-size: 0.85rem }
        dl { display: grid; grid-template-columns: auto 1fr; gap: 0.2rem 1rem; border-top: 1px solid var(--rule); padding-top: 0.8rem; margin: 0 }
        dd { margin: 0; overflow-wrap: anywhere }
        code { font: 0.95em ui-monospace, Consolas, monospace }
        @media (max-width: 40rem) { .wide { display: block } }

        """;
}
