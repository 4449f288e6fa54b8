// A QR code as one path of an SVG. What draws it is fetched when a code is shown for the first time. H5 only.
import { defineComponent, h, ref, watch } from 'vue';

export default defineComponent({
  name: 'QrPicture',
  props: { text: { type: String, required: true }, label: { type: String, required: true } },
  setup(props) {
    const size = ref(0);
    const path = ref('');
    watch(
      () => props.text,
      async (text) => {
        const { qrPath } = await import('./qr_modules');
        if (text !== props.text) return;
        const made = qrPath(text);
        size.value = made.size;
        path.value = made.path;
      },
      { immediate: true },
    );
    return () =>
      h(
        'svg',
        { viewBox: `0 0 ${size.value || 1} ${size.value || 1}`, role: 'img', 'aria-label': props.label, 'shape-rendering': 'crispEdges', width: '100%', height: '100%' },
        [h('path', { d: path.value, fill: '#000000' })],
      );
  },
});
