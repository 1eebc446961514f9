import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def digests(apps, schema_editor):
    """Until now a source was known by its bytes alone."""
    apps.get_model('blog', 'ImportedSource').objects.update(digest=F('identity'))


class Migration(migrations.Migration):

    dependencies = [
        ('blog', '0003_search'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameField('importedsource', 'digest', 'identity'),
        migrations.AddField(
            'importedsource', 'digest', models.CharField(default='', editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='importedsource',
            name='article_version',
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='blocks',
            field=models.JSONField(default=list, editable=False),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='corrections',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='format',
            field=models.CharField(blank=True, max_length=12, verbose_name='format'),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='imported_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='language',
            field=models.CharField(default='en', max_length=12, verbose_name='language'),
        ),
        migrations.AddField(
            model_name='importedsource',
            name='meta',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AlterField(
            model_name='importedsource',
            name='article',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='imported_from', to='blog.article', verbose_name='draft'),
        ),
        migrations.AlterField(
            model_name='importedsource',
            name='name',
            field=models.CharField(max_length=255, verbose_name='source'),
        ),
        migrations.AlterField(
            model_name='importedsource',
            name='report',
            field=models.TextField(blank=True, verbose_name='what was taken and what was left out'),
        ),
        migrations.RunPython(digests, migrations.RunPython.noop),
    ]
