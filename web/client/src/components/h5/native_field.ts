// A real <input> with a label, whose text may be shaped without moving the caret: card numbers, amounts, searches. H5 only.
import { defineComponent, h, onMounted, ref, type PropType } from 'vue';
import { focusWhenSeen } from '@/opening';

function digitsBefore(text: string, caret: number): number {
  return text.slice(0, caret).replace(/\D/g, '').length;
}

export function caretAfter(text: string, digits: number): number {
  let seen = 0;
  for (let at = 0; at < text.length; ++at) {
    if (seen === digits) return at;
    if (/\d/.test(text[at] as string)) seen += 1;
  }
  return text.length;
}

export default defineComponent({
  name: 'NativeField',
  props: {
    value: { type: String, required: true },
    label: { type: String, required: true },
    hint: { type: String, default: '' },
    test: { type: String, required: true },
    mode: { type: String as PropType<'numeric' | 'decimal' | 'search' | 'text'>, default: 'text' },
    most: { type: Number, default: 64 },
    described: { type: String, default: undefined },
    invalid: Boolean,
    focused: Boolean,
    /** Gives the text the field shall show for what was typed. */
    shape: { type: Function as PropType<(typed: string) => string>, default: (typed: string) => typed },
  },
  emits: { typed: (_text: string) => true, submit: () => true },
  setup(props, { emit }) {
    const field = ref<HTMLInputElement | null>(null);

    function onInput(event: Event): void {
      const input = event.target as HTMLInputElement;
      if ((event as InputEvent).isComposing) return;
      const typed = input.value;
      const caret = input.selectionStart ?? typed.length;
      const shaped = props.shape(typed);
      if (shaped !== typed) {
        input.value = shaped;
        const place = caret === typed.length ? shaped.length : caretAfter(shaped, digitsBefore(typed, caret));
        input.setSelectionRange(place, place);
      }
      emit('typed', shaped);
    }

    onMounted(() => props.focused && focusWhenSeen(() => field.value));

    return () =>
      h('input', {
        ref: field,
        class: 'native-field',
        type: 'text', // a search field would draw a cross of its own
        inputmode: props.mode,
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: false,
        enterkeyhint: props.mode === 'search' ? 'search' : 'done',
        maxlength: props.most,
        'data-test': props.test,
        'aria-label': props.label,
        'aria-invalid': props.invalid,
        'aria-describedby': props.described,
        placeholder: props.hint,
        value: props.value,
        onInput,
        onCompositionend: onInput,
        onKeydown: (event: KeyboardEvent) => {
          if (event.key === 'Enter') emit('submit');
        },
      });
  },
});
