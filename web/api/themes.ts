// The themes that a shop may wear, for its own pages and the console. A theme is values of tokens and nothing else; in each of
// two, the first is for light and the second for dark. Their names are the server's (server/content/page_rules.h). A test holds
// every pair of colours that meets on a page against WCAG AA. Green is not among them: it means money that arrived.
export interface ThemeTokens {
  brand: readonly [string, string];
  ground: readonly [string, string];
  /** In px: of small things, of large ones. */
  radius: readonly [number, number];
}

const kGrey = ['#f5f6f8', '#0e1114'] as const;
export const kThemes = {
  ink: { brand: ['#14171a', '#f2f4f6'], ground: kGrey, radius: [8, 12] },
  harbour: { brand: ['#0b57a4', '#8cc4ff'], ground: kGrey, radius: [8, 12] },
  lagoon: { brand: ['#0f5d6b', '#7fd3dd'], ground: ['#f1f7f8', '#0b1214'], radius: [12, 20] },
  plum: { brand: ['#6d3a8c', '#d9b3f2'], ground: ['#f8f5fa', '#120f15'], radius: [12, 16] },
  brick: { brand: ['#86421f', '#f0b48f'], ground: kGrey, radius: [4, 6] },
  sand: { brand: ['#5a4420', '#ecd3a4'], ground: ['#f8f4ec', '#14120d'], radius: [8, 12] },
} as const satisfies Record<string, ThemeTokens>;
export type ThemeName = keyof typeof kThemes;

export function isThemeName(value: unknown): value is ThemeName {
  return typeof value === 'string' && Object.prototype.hasOwnProperty.call(kThemes, value);
}

/** As the style sheets read them: they choose between day and night. */
export function themeVariables(name: ThemeName): [string, string][] {
  const { brand, ground, radius } = kThemes[name];
  return [
    ['--brand-day', brand[0]], ['--brand-night', brand[1]], ['--ground-day', ground[0]], ['--ground-night', ground[1]],
    ['--radius-small', `${radius[0]}px`], ['--radius-big', `${radius[1]}px`],
  ];
}
